import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Ledger, type ReleaseResult } from '../../src/orchestrator/ledger.ts';

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('Ledger', () => {
  propertyTest.prop({ failing: fc.array(fc.boolean(), { maxLength: 20 }) })(
    'gives back everything once, last taken first, whichever of them fail',
    async ({ failing }) => {
      const ledger = new Ledger();
      const released: string[] = [];
      failing.forEach((fails, index) => {
        ledger.hold({
          what: `thing ${index}`,
          release: async () => {
            released.push(`thing ${index}`);
            if (fails) throw new Error(`thing ${index} stays`);
          },
        });
      });
      const results: ReleaseResult[] = [];
      await ledger.releaseAll((result) => results.push(result));
      await ledger.releaseAll((result) => results.push(result));

      const lastFirst = failing.map((_, index) => `thing ${index}`).reverse();
      expect(released).toEqual(lastFirst);
      expect(results.map(({ what }) => what)).toEqual(lastFirst);
      expect(results.map(({ error }) => error !== undefined)).toEqual([...failing].reverse());
      expect(ledger.held).toEqual([]);
    },
  );

  test('waits for work under way, and releases what that work still took', async () => {
    const ledger = new Ledger();
    const ioctl = gate();
    const released: string[] = [];
    const work = ledger.track(
      'creatingVm',
      (async () => {
        await ioctl.opened;
        ledger.hold({ what: 'VM fd', release: async () => void released.push('VM fd') });
      })(),
    );
    expect(ledger.waitingFor).toBeUndefined();
    const done = ledger.releaseAll(() => undefined);
    expect(ledger.waitingFor).toBe('the end of creatingVm');
    expect(released).toEqual([]);
    ioctl.open();
    await Promise.all([work, done]);
    expect(released).toEqual(['VM fd']);
  });

  test('work that fails is settled all the same', async () => {
    const ledger = new Ledger();
    const work = ledger.track('creatingVm', Promise.reject(new Error('refused')));
    await expect(work).rejects.toThrow('refused');
    await expect(ledger.settle()).resolves.toBeUndefined();
  });

  test('says what it is waiting for while something is being released', async () => {
    const ledger = new Ledger();
    const close = gate();
    ledger.hold({ what: 'vCPU fds', release: () => close.opened });
    const done = ledger.releaseAll(() => undefined);
    await ledger.settle();
    expect(ledger.waitingFor).toBe('the release of vCPU fds');
    close.open();
    await done;
    expect(ledger.waitingFor).toBeUndefined();
  });
});

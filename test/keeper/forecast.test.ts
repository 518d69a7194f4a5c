import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leftMs, type Releasing, slotForecastMs, teardownMs } from '../../src/keeper/forecast.ts';
import type { Teardown } from '../../src/keeper/measured.ts';

const gib = 2 ** 30;
const kvm = { host: 'kvm', kernel: '7.3.0', simulated: false };
const large = { vcpus: 32, memoryBytes: 107e9 };
const releasing: Releasing = {
  ...large,
  state: 'releasing',
  host: { name: 'kvm', simulated: false },
  kernel: '7.3.0',
  sinceMs: 1000,
};

const measured = (ms: number, of: Partial<Teardown> = {}): Teardown => ({
  ...kvm,
  ...large,
  ms,
  ...of,
});

describe('how long a teardown takes', () => {
  test('without a measurement, a real host takes what public times say', () => {
    // lkml, 11 June 2025, KVM_TDX_TERMINATE_VM V4 1/1: 32 vCPUs and 107 GB took 517 s.
    const seconds = (teardownMs({ ...kvm, ...large }, []) ?? 0) / 1000;
    expect(seconds).toBeGreaterThan(0.9 * 517);
    expect(seconds).toBeLessThan(1.1 * 517);
  });

  test('what a simulated host takes is not known before it was measured', () => {
    const sim = { ...large, host: 'sim:spr-1.5', kernel: 'linux-7.3', simulated: true };
    expect(teardownMs(sim, [])).toBeNull();
    expect(teardownMs(sim, [measured(1)])).toBeNull();
    expect(teardownMs(sim, [{ ...sim, ms: 20 }])).toBeCloseTo(20);
  });

  test('the same TD takes what it took, and another host or kernel says nothing of it', () => {
    const others = [measured(7, { host: 'soft' }), measured(9, { kernel: '7.4.0' })];
    expect(teardownMs({ ...kvm, ...large }, [...others, measured(90_000)])).toBeCloseTo(90_000);
  });

  test('more memory never takes less, whatever was measured', () => {
    const teardowns = fc.array(
      fc.record({
        ms: fc.double({ min: 0.1, max: 1e7, noNaN: true }),
        vcpus: fc.integer({ min: 1, max: 256 }),
        memoryBytes: fc.integer({ min: 1, max: 4096 }).map((count) => count * gib),
      }),
    );
    const size = fc.integer({ min: 1, max: 4096 });
    fc.assert(
      fc.property(teardowns, size, size, (list, one, other) => {
        const known = list.map((each) => ({ ...kvm, ...each }));
        const ms = (memory: number) =>
          teardownMs({ ...kvm, vcpus: 8, memoryBytes: memory * gib }, known) ?? Number.NaN;
        expect(ms(Math.max(one, other))).toBeGreaterThanOrEqual(ms(Math.min(one, other)));
      }),
    );
  });

  test('one that stalled once does not make all that follow look slow', () => {
    const list = [measured(1000), measured(1100), measured(900_000), measured(1050), measured(950)];
    expect(teardownMs({ ...kvm, ...large }, list)).toBeCloseTo(1050);
  });
});

describe('what is left of a teardown', () => {
  test('is what it takes, less what is over', () => {
    expect(leftMs(releasing, [measured(10_000)])).toBe(9000);
  });

  test('is not known of one that is late, nor where something about it is not known', () => {
    for (const change of [
      { sinceMs: 10_001 },
      { sinceMs: null },
      { memoryBytes: null },
      { host: null },
    ]) {
      expect(leftMs({ ...releasing, ...change }, [measured(10_000)])).toBeNull();
    }
  });

  test('is nothing of a TD that is not being taken down', () => {
    expect(leftMs({ ...releasing, state: 'running' }, [measured(10_000)])).toBeNull();
  });
});

test('the nth of the queue waits for the nth teardown that ends, and of more nobody can tell', () => {
  const given = { free: 1, left: [9000, null, 2000] };
  expect([1, 2, 3, 4].map((position) => slotForecastMs(position, given))).toEqual([
    0,
    2000,
    9000,
    null,
  ]);
});

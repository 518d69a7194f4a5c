/** What a VMM tells of its guest, in whatever state of the chart that comes. */
import { expect, test } from 'vitest';
import { once as aroundNothing, RequestCounter } from '../../../src/orchestrator/index.ts';
import { openMonitor } from '../../../src/vmm/qmp/index.ts';
import { VmmSession } from '../../../src/vmm/run/session.ts';
import { done, serve } from '../qmp/serve.ts';

const stop = { event: 'STOP', data: {} };

async function sessionOf(status: string) {
  const changes: string[] = [];
  const path = await serve((asked) =>
    done(asked, asked.execute === 'query-status' ? { status } : {}),
  );
  const session = new VmmSession({
    ...{ command: { program: 'qemu', args: [] } as never, places: {} as never, stderrPath: '' },
    ...{ onPanic: 'stop', keySlots: async () => undefined, publish: () => {}, now: () => 0 },
    ...{ aroundStep: aroundNothing, requests: new RequestCounter(), onProcess: () => {} },
    onChange: (type) => changes.push(type),
  });
  session.monitor = await openMonitor({ path, deadlineMs: 2000, onEvent: () => {} });
  return { session, changes };
}

test.each([
  ['before the chart knows that it runs', ['entering', 'STOP', 'running']],
  ['before another keeper has it', ['STOP', 'running']],
  ['as it runs', ['entering', 'running', 'STOP']],
] as const)('a guest that QEMU cannot run is over, where QEMU stops it %s', async (_, course) => {
  const { session } = await sessionOf('internal-error');
  for (const each of course) {
    if (each === 'STOP') session.heard(stop);
    else session.enters(each);
  }
  await session.over;
  expect(session.told).toEqual({ kind: 'internalError' });
  session.close();
});

test('a stop that was taken back before the chart knew of it is none', async () => {
  const { session, changes } = await sessionOf('running');
  session.enters('entering');
  session.heard(stop);
  session.heard({ event: 'RESUME', data: {} });
  session.enters('running');
  session.heard(stop);
  await expect.poll(() => session.status()).toBe('running');
  expect({ told: session.told, changes }).toEqual({ told: undefined, changes: [] });
  session.close();
});

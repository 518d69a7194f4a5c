import { expect, test } from 'vitest';
import type { KeptTd } from '../../src/keeper/kept-td.ts';
import { outlook } from '../../src/keeper/outlook.ts';

const td = (name: string, state: KeptTd['state'], holdsKeySlot: boolean): KeptTd => ({
  ...{ name, state, holdsKeySlot, labels: {}, chartState: null, life: 1, keeper: null },
  ...{ since: null, sinceMs: 4000, createdAt: null, host: { name: 'kvm', simulated: false } },
  ...{ kernel: { id: '7.3.0' }, vcpus: 4, memoryBytes: 18e9, mrtd: null, error: null, notes: [] },
  ...{ queue: null, leftMs: null },
});
const ticket = (number: number, name: string, isStopped = false) => ({
  ...{ number, td: name, isStopped, pid: number, startTime: '1', bootId: 'b', pidNamespace: 'p' },
});
const measured = [{ host: 'kvm', kernel: '7.3.0', vcpus: 4, memoryBytes: 18e9, ms: 10_000 }];

test('who waits has his place, and the time until as many teardowns have ended', () => {
  const tds = [
    td('gone', 'releasing', true),
    td('web', 'running', true),
    td('one', 'queued', false),
    td('stopped', 'queued', false),
    td('two', 'queued', false),
    td('lost', 'queued', false),
  ];
  const line = [ticket(3, 'one'), ticket(4, 'stopped', true), ticket(5, 'two')];
  const seen = outlook(tds, { line, measured });
  expect(seen.map(({ name, leftMs, queue }) => ({ name, leftMs, queue }))).toEqual([
    { name: 'gone', leftMs: 6000, queue: null },
    { name: 'web', leftMs: null, queue: null },
    { name: 'one', leftMs: null, queue: { position: 1, of: 2, forecastMs: 6000 } },
    // It is passed over as long as it stands still.
    { name: 'stopped', leftMs: null, queue: null },
    // Nobody knows when `web` will end.
    { name: 'two', leftMs: null, queue: { position: 2, of: 2, forecastMs: null } },
    { name: 'lost', leftMs: null, queue: null },
  ]);
});

import { expect, test } from 'vitest';
import { Line } from '../../src/keeper/admission/line.ts';
import { sharedSlots } from '../../src/keeper/admission/slots.ts';
import type { KeptTd } from '../../src/keeper/kept-td.ts';
import { readKeptTd } from '../../src/keeper/kept-tds.ts';
import { outlook, withOutlook } from '../../src/keeper/outlook.ts';
import type { StateDirectory } from '../../src/keeper/state-directory.ts';
import type { StatusRecord } from '../../src/keeper/status.ts';
import { ownTd } from '../../src/keeper/td-directory.ts';
import { freshState, identity, status } from './support.ts';

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
  const lines = new Map([
    ['kvm', [ticket(3, 'one'), ticket(4, 'stopped', true), ticket(5, 'two')]],
  ]);
  const seen = outlook(tds, { lines, measured, all: tds });
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

async function write(state: StateDirectory, name: string, td: Partial<StatusRecord>) {
  const owned = await ownTd(state, name, { create: true });
  owned?.beginLife(identity());
  owned?.writeStatus(status(name, { host: { name: 'kvm', simulated: false }, ...td }));
  owned?.release();
}

test('one alone is told the same as in a list of all: whose slot he gets is looked for', async (context) => {
  const state = await freshState(context);
  await write(state, 'web', { state: 'releasing', memoryBytes: 18e9 });
  await write(state, 'next', { state: 'queued', holdsKeySlot: false });
  const queue = sharedSlots(state, 'kvm')?.queue ?? '';
  await new Line({ state, queue, owner: { td: 'next', ...identity() } }).join();
  const next = readKeptTd(state, 'next');
  const [seen] = await withOutlook(state, next === undefined ? [] : [next]);
  expect(seen?.queue).toEqual({ position: 1, of: 1, forecastMs: expect.any(Number) });
});

/**
 * A move between keepers in which either of them, or both, are killed (SIGKILL) or stand still (SIGSTOP) right before
 * or after a record that they write. At every moment there is one TD, and one that is over has words; afterwards one
 * process has it or none, the key slots are as they should be, and whoever has it can be asked, and can hand it over
 * again. A sample in CI, all of them with TDCTL_SWEEP=full.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readJournal } from '../../src/keeper/journal/index.ts';
import type { KeepRequest } from '../../src/keeper/request.ts';
import { filesOf, http, launch, recordsOf, spawnKeeper } from '../keeper/keepers.ts';
import { move, moving, movingKernel } from '../keeper/move/movers.ts';
import { cli } from '../support/cli.ts';
import { hasEnded, stat } from '../support/processes.ts';
import { watchTd } from './moves/watched.ts';

beforeAll(async () => {
  const args = ['host', 'start', 'arena', '--host', 'sim', '--kernel', movingKernel];
  expect(await cli(args)).toMatchObject({ exitCode: 0 });
});
afterAll(() => cli(['host', 'stop', 'arena', '--now']));

/** So long has one that waits for the other patience. */
const patience = 'patience:300';
/** Longer than that: whoever does not stand still has done by then what it does. */
const standsStillMs = 900;

/** So many records has a keeper written when its TD runs, and when that has left it; and the next one in all. */
const records = { running: 46, left: 58, next: 101 };

interface Place {
  readonly place: string;
  readonly where: Partial<KeepRequest>;
  /** The key slots in use, where the machine is one for both keepers. */
  readonly slotsInUse: () => Promise<number | undefined>;
}

const places: readonly Place[] = [
  {
    place: 'shared',
    where: { host: 'on:arena', kernel: undefined },
    slotsInUse: async () =>
      JSON.parse((await cli(['host', 'show', 'arena', '-o', 'json'])).stdout).keySlots.used,
  },
  { place: 'own', where: {}, slotsInUse: async () => undefined },
];

/** As TDCTL_KEEPER_FAULT has them. */
interface Faults {
  readonly first?: string;
  readonly next?: string;
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);
const each = (kinds: readonly string[], numbers: readonly number[]) =>
  kinds.flatMap((kind) => numbers.map((number) => `${kind}:${number}`));
const deaths = ['die-before', 'die-at'];
const stops = ['stop-at'];
const ofFirst = range(records.running + 1, records.left);
const ofNext = range(1, records.next);
const fewOfNext = [2, 36, 41, 45, 50, 60];

const all: readonly Faults[] = [
  ...each([...deaths, ...stops], ofNext).map((next) => ({ next })),
  ...each([...deaths, ...stops], ofFirst).map((first) => ({ first })),
  ...each(stops, ofFirst).flatMap((first) =>
    each([...deaths, ...stops], fewOfNext).map((next) => ({ first, next })),
  ),
];
const sample: readonly Faults[] = [
  { next: 'die-at:1' },
  { next: 'die-before:44' },
  { next: 'stop-at:44' },
  { first: 'die-at:52' },
  { first: 'stop-at:50' },
  { first: 'stop-at:52', next: 'stop-at:60' },
];
const isFull = process.env.TDCTL_SWEEP === 'full';
const trials = isFull ? all : sample;

const titled = trials.map(
  (faults) =>
    [
      Object.entries(faults)
        .map(([keeper, fault]) => `the ${keeper} at ${fault}`)
        .join(', '),
      faults,
    ] as const,
);

describe.each(places)('on a machine that is $place', ({ place, where, slotsInUse }) => {
  test.each(isFull || place === 'shared' ? titled : titled.slice(-1))(
    '%s',
    async (_, { first, next }) => {
      /** The host closes what a killed process had open once it sees that the process is gone. */
      const inUse = (slots: readonly (number | undefined)[]) =>
        expect.poll(slotsInUse, { timeout: 60_000 }).toBeOneOf([...slots]);
      const name = `${place}-${first ?? 'first'}-${next ?? 'next'}`.replaceAll(':', '-');
      const request = moving(name, where);
      const watched = await watchTd(name);
      const pid = await launch(request, { fault: `${patience},${first ?? ''}` });
      watched.begin();
      const mover = spawnKeeper(
        { ...request, moves: true },
        { fault: `${patience},${next ?? ''}` },
      );
      const both = [pid, mover.pid];
      await settled(both, mover.told);
      // One that has not come to its record yet stands still there in what follows.
      const waking = setInterval(() => wake(both), standsStillMs);
      onTestFinished(() => clearInterval(waking));
      const { state, keeper, error, notes } = await watched.end(both);

      const owners = both.filter((each) => !hasEnded(each));
      if (state === 'running') expect(owners).toEqual([keeper?.pid]);
      else {
        expect({ state, owners }).toEqual({
          state: expect.stringMatching(/lost|failed/),
          owners: [],
        });
        // It is the kernel's own rule by which it is lost.
        expect([error?.message, ...notes].join(' ')).toMatch(/kernel t(akes|ook) (a|the) TD down/);
      }
      await inUse([undefined, state === 'running' ? 1 : 0]);
      // Nobody has died who had it.
      if (first === undefined && next?.startsWith('stop')) expect(state).toBe('running');
      if (state === 'running') {
        for (const verb of ['pause', 'resume']) {
          const { status, body } = await http(name, 'POST', `/v1/td/${verb}`);
          expect({ status, error: body.error }).toEqual({ status: 200, error: undefined });
        }
        expect(await move(request)).toMatchObject({ verdict: 'completed' });
      }
      expect(await cli(['delete', name, '--force'])).toMatchObject({ exitCode: 0 });
      await inUse([undefined, 0]);
    },
  );
});

test('a move has as many records as are tried', async () => {
  const request = moving('counted');
  await launch(request);
  expect(await recordsOf('counted')).toHaveLength(records.running);
  await move(request);
  const files = await filesOf('counted');
  expect(readJournal(files.journalBefore).records.at(-1)?.seq).toBe(records.left);
  const { records: written } = readJournal(files.journal);
  // What it has written until then, it writes again as soon as it is found.
  expect(2 * written.slice(0, -1).length + 1).toBe(records.next);
});

/** Until nothing more comes of it: whoever stands still goes on once the other has done what it does. */
async function settled(pids: readonly number[], told: Promise<string>): Promise<void> {
  let isTold = false;
  void told.then(() => {
    isTold = true;
  });
  for (let since = performance.now(); ; await delay(5)) {
    if (pids.every((pid) => !stands(pid))) {
      if (isTold) return;
      since = performance.now();
    } else if (performance.now() - since > standsStillMs) {
      wake(pids);
    }
  }
}

const stands = (pid: number) => stat(pid)?.[0] === 'T';

function wake(pids: readonly number[]): void {
  for (const pid of pids.filter(stands)) process.kill(pid, 'SIGCONT');
}

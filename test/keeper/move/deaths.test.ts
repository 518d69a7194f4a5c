/**
 * Either keeper of a move is killed (SIGKILL), right before or after a record of its journal: who is left finds by
 * asking who has the TD, and what is told is so. All of them with TDCTL_SWEEP=full, else some of each kind.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { cli } from '../../support/cli.ts';
import { hasEnded, stat, until } from '../../support/processes.ts';
import { http, launch, recordsOf, spawnKeeper } from '../keepers.ts';
import { move, moving, movingKernel, seen } from './movers.ts';

beforeAll(async () => {
  const args = ['host', 'start', 'arena', '--host', 'sim', '--kernel', movingKernel];
  expect(await cli(args)).toMatchObject({ exitCode: 0 });
});
afterAll(() => cli(['host', 'stop', 'arena', '--now']));

async function slotsInUse(): Promise<number> {
  return JSON.parse((await cli(['host', 'show', 'arena', '-o', 'json'])).stdout).keySlots.used;
}

const isFull = process.env.TDCTL_SWEEP === 'full';
const pick = (last: number, some: readonly string[]) =>
  isFull
    ? Array.from({ length: last }, (_, at) => [`die-before:${at + 1}`, `die-at:${at + 1}`]).flat()
    : some;

/** A TD that runs has its slot, and one that is over has none; it is one, and nobody is still at it. */
async function settled(name: string) {
  let td = await seen(name);
  await until(async () => {
    td = await seen(name);
    const isOver = ['lost', 'failed', 'destroyed'].includes(td?.state ?? '');
    // Its last words come after its last state.
    return td?.state === 'running' || (isOver && td?.keeper?.lives === false);
  });
  const runs = td?.state === 'running';
  await until(async () => (await slotsInUse()) === (runs ? 1 : 0));
  expect(td).toMatchObject({ holdsKeySlot: runs });
  if (!runs)
    expect([td?.error?.message ?? '', ...(td?.notes ?? [])].join(' ')).toMatch(/process \d+/);
  return td;
}

/** Of a keeper that dies, whoever follows it is told that. */
async function tried(work: Promise<unknown>): Promise<TdctlError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
}

async function over(name: string) {
  expect(await cli(['delete', name, '--force'])).toMatchObject({ exitCode: 0, stderr: '' });
  // The host closes what a killed process had open once it sees that the process is gone.
  await until(async () => (await slotsInUse()) === 0);
}

const where = { host: 'on:arena', kernel: undefined };

/** So many records has a keeper written when its TD runs, and so many more until the TD has left. */
let running = 0;
const untilLeft = 14;
/** So many does the next keeper write until it has the TD, and is found. */
const untilFound = 120;

beforeAll(async () => {
  await launch(moving('counted'));
  running = (await recordsOf('counted')).length;
  await cli(['delete', 'counted', '--force']);
});

describe('the next keeper dies', () => {
  test.each(pick(untilFound, ['die-before:30', 'die-at:42', 'die-at:60']))(
    'at %s: the one that has the TD keeps it, or says who has lost it',
    async (fault) => {
      const name = `next-${fault.replace(':', '-')}`;
      const first = await launch(moving(name, where));
      const error = await tried(move(moving(name, where), { fault }));
      const td = await settled(name);
      if (td?.state === 'running' && error !== undefined) expect(td.keeper?.pid).toBe(first);
      await over(name);
    },
  );
});

describe('the keeper dies that the TD is to leave', () => {
  test.each(pick(untilLeft, ['die-at:1', 'die-before:9']))(
    'at %s of the move: the TD is with the next one, or lost with the first',
    async (fault) => {
      const name = `first-${fault.replace(':', '-')}`;
      const [kind, number] = fault.split(':');
      await launch(moving(name, where), { fault: `${kind}:${running + Number(number)}` });
      const error = await tried(move(moving(name, where)));
      const td = await settled(name);
      expect(td?.state).toBe(error === undefined ? 'running' : 'lost');
      await over(name);
    },
  );
});

describe('a keeper stands still (SIGSTOP)', () => {
  const fromFirst = isFull ? [1, 2, 6, 9, 10, 11, 12] : [6];
  test.each(fromFirst)(
    'the first, at record %i of the move: the TD stays, or goes without it',
    async (at) => {
      const name = `still-first-${at}`;
      const first = await launch(moving(name, where), { fault: `stop-at:${running + at}` });
      const error = await tried(move(moving(name, where), { fault: 'patience:300' }));
      if (error !== undefined) process.kill(first, 'SIGCONT');
      const td = await settled(name);
      expect(td?.state).toBe('running');
      expect(td?.keeper?.pid === first).toBe(error !== undefined);
      await over(name);
    },
  );

  const fromNext = isFull ? [20, 34, 36, 38, 40, 42, 44, 46, 60] : [36, 42];
  test.each(fromNext)(
    'the next, at its record %i: it is ended, or has the TD once it goes on',
    async (at) => {
      const name = `still-next-${at}`;
      await launch(moving(name, where), { fault: 'patience:300' });
      const error = await tried(move(moving(name, where), { fault: `stop-at:${at}` }));
      const [, pid] = /process (\d+)/.exec(error?.message ?? '') ?? [];
      try {
        // One that was ended has no number any more.
        if (pid !== undefined) process.kill(Number(pid), 'SIGCONT');
      } catch {}
      expect(await settled(name)).toMatchObject({ state: 'running' });
      await over(name);
    },
  );

  test.each([0, 1, 2, 4, 8, 16])(
    'or is only waited for %i ms: the TD is with one of the two all the same',
    async (patience) => {
      const name = `hasty-${patience}`;
      const request = moving(name, where);
      const first = await launch(request, { fault: `patience:${patience}` });
      const error = await tried(move(request));
      const td = await settled(name);
      expect(td?.state).toBe('running');
      expect(td?.keeper?.pid === first).toBe(error !== undefined);
      await over(name);
    },
  );

  test('the next, and what is asked of the TD meanwhile is done once that is back', async () => {
    const name = 'still-asked';
    const request = moving(name, where);
    await launch(request, { fault: 'patience:300' });
    const { pid, ended } = spawnKeeper({ ...request, moves: true }, { fault: 'stop-at:36' });
    await until(() => stat(pid)?.[0] === 'T');
    expect(await http(name, 'POST', '/v1/td/pause')).toMatchObject({
      status: 200,
      body: { changed: true, td: { state: 'paused' } },
    });
    await until(() => hasEnded(pid));
    await ended;
    expect(await http(name, 'POST', '/v1/td/resume')).toMatchObject({ status: 200 });
    await over(name);
  });

  test('the first, while the next one takes the TD and dies: who asks then is told of its end, and not of a move', async () => {
    const name = 'still-then-lost';
    const request = moving(name, where);
    const first = await launch(request, { fault: `stop-at:${running + 3}` });
    const next = spawnKeeper({ ...request, moves: true }, { fault: 'die-at:50' });
    expect(await next.ended).toBe(null);
    await until(() => stat(first)?.[0] === 'T');
    const goesOn = () => process.kill(first, 'SIGCONT');
    expect((await http(name, 'POST', '/v1/td/pause', goesOn)).body.error).toMatchObject({
      code: 'TDCTL_E_CONFLICT',
      message: 'the TD is failed, where it cannot be asked to pause',
    });
    expect(await settled(name)).toMatchObject({ state: 'failed' });
    await over(name);
  });
});

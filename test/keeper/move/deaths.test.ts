/**
 * Either keeper of a move is killed (SIGKILL), right before or after a record of its journal: who is left finds by
 * asking who has the TD, and what is told is so. All of them with TDCTL_SWEEP=full, else some of each kind.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { cli } from '../../support/cli.ts';
import { launch, recordsOf } from '../keepers.ts';
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
    return ['running', 'lost', 'failed', 'destroyed'].includes(td?.state ?? '');
  });
  const runs = td?.state === 'running';
  await until(async () => (await slotsInUse()) === (runs ? 1 : 0));
  expect(td).toMatchObject({ holdsKeySlot: runs });
  if (!runs)
    expect([td?.error?.message ?? '', ...(td?.notes ?? [])].join(' ')).toMatch(/process \d+/);
  return td;
}

/** The test's own timeout is the bound. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
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
  await cli(['delete', name, '--force']);
  expect(await slotsInUse()).toBe(0);
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
  test.each(pick(untilFound, ['die-at:1', 'die-before:30', 'die-at:42', 'die-at:60']))(
    'at %s: the one that has the TD keeps it, or says who has lost it',
    async (fault) => {
      const name = `next-${fault.replace(':', '-')}`;
      const first = await launch(moving(name, where));
      const error = await tried(move(moving(name, where), { fault }));
      const td = await settled(name);
      if (td?.state === 'running' && error !== undefined) expect(td.keeper?.pid).toBe(first);
      console.log(
        fault,
        td?.state,
        td?.keeper?.pid === first,
        error?.message,
        td?.error?.message,
        td?.notes,
      );
      await over(name);
    },
  );
});

describe('the keeper dies that the TD is to leave', () => {
  test.each(pick(untilLeft, ['die-before:1', 'die-at:5', 'die-before:9', 'die-at:10']))(
    'at %s of the move: the TD is with the next one, or lost with the first',
    async (fault) => {
      const name = `first-${fault.replace(':', '-')}`;
      const [kind, number] = fault.split(':');
      const first = await launch(moving(name, where), {
        fault: `${kind}:${running + Number(number)}`,
      });
      const error = await tried(move(moving(name, where)));
      const td = await settled(name);
      expect(td?.state).toBe(error === undefined ? 'running' : 'lost');
      console.log(
        fault,
        td?.state,
        td?.keeper?.pid === first,
        error?.message,
        error?.details,
        td?.error?.message,
        td?.notes,
      );
      await over(name);
    },
  );
});

describe('a keeper stands still (SIGSTOP)', () => {
  test.each([2, 6, 9, 10, 11])('the first, at record %i of the move', async (at) => {
    const name = `still-first-${at}`;
    const first = await launch(moving(name, where), { fault: `stop-at:${running + at}` });
    const error = await tried(move(moving(name, where), { fault: 'patience:300' }));
    console.log(at, error?.message, error?.details, (await seen(name))?.state);
    if (error !== undefined) process.kill(first, 'SIGCONT');
    const td = await settled(name);
    expect(td?.state).toBe('running');
    expect(td?.keeper?.pid === first).toBe(error !== undefined);
    await over(name);
  });
  test.each([20, 36, 38, 40, 42, 44, 46, 60])('the next, at its record %i', async (at) => {
    const name = `still-next-${at}`;
    const first = await launch(moving(name, where), { fault: 'patience:300' });
    const error = await tried(move(moving(name, where), { fault: `stop-at:${at}` }));
    const before = await seen(name);
    console.log(at, error?.message, before?.state, before?.notes, before?.keeper?.pid === first);
    const pid = Number(/process (\d+)/.exec(error?.message ?? '')?.[1]);
    try {
      if (pid > 0) process.kill(pid, 'SIGCONT');
    } catch {
      console.log('fenced');
    }
    const td = await settled(name);
    console.log(at, td?.state, td?.keeper?.pid === first);
    await over(name);
  });
});

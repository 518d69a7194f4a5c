/** A TD moves from keeper to keeper, on a machine that each simulates and on one that they share. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reachSource } from '../../../src/cli/kept/move/reach-source.ts';
import { readJournal } from '../../../src/keeper/journal/index.ts';
import { ownNext } from '../../../src/keeper/move/next-directory.ts';
import { presenceOf, vantage } from '../../../src/keeper/presence.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { cli } from '../../support/cli.ts';
import { until } from '../../support/processes.ts';
import { filesOf, http, isOver, launch, recordsOf, statusOf } from '../keepers.ts';
import { identity } from '../support.ts';
import { move, moving, movingKernel, seen } from './movers.ts';

const shared = { host: 'on:lane', kernel: undefined };

beforeAll(async () => {
  const args = ['host', 'start', 'lane', '--host', 'sim', '--kernel', movingKernel];
  expect(await cli(args)).toMatchObject({ exitCode: 0 });
});
afterAll(() => cli(['host', 'stop', 'lane', '--now']));

async function slotsInUse(): Promise<number> {
  return JSON.parse((await cli(['host', 'show', 'lane', '-o', 'json'])).stdout).keySlots.used;
}

describe.each([
  ['a machine of its own', 'own', {}],
  ['a shared host', 'on', shared],
])('on %s', (_, place, where) => {
  test('a TD that runs goes on with its next keeper, and the one before ends', async () => {
    const name = `runs-${place}`;
    const first = await launch(moving(name, where));
    const before = await seen(name);
    const { keeper } = await statusOf(name);
    const report = await move(moving(name, where));
    expect(report).toMatchObject({ verdict: 'completed', fromKeeper: { pid: first }, error: null });
    expect(report.blackoutMs).toBeGreaterThan(0);
    const after = await seen(name);
    expect(after).toMatchObject({
      ...{ state: 'running', mrtd: before?.mrtd, holdsKeySlot: true, life: 2 },
      keeper: { pid: report.toKeeper.pid, lives: true },
    });
    expect(await http(name, 'GET', '/v1')).toMatchObject({ body: { pid: report.toKeeper.pid } });
    await until(() => presenceOf(keeper, vantage()) === 'gone');
    expect(await http(name, 'POST', '/v1/td/stop')).toMatchObject({ status: 202 });
    await isOver(name);
    expect(await seen(name)).toMatchObject({ state: 'destroyed', holdsKeySlot: false });
    if (place === 'on') expect(await slotsInUse()).toBe(0);
  });

  test('the numbers of its records go on, and nothing of the way is left', async () => {
    const name = `numbers-${place}`;
    await launch(moving(name, { ...where, start: false }));
    for (const _ of [1, 2]) {
      const { journal, journalBefore, directory } = await filesOf(name);
      const last = (await recordsOf(name)).at(-1)?.seq ?? 0;
      await move(moving(name, where));
      const left = readJournal(journalBefore).records;
      const [first] = readJournal(journal).records;
      expect(left.at(-1)).toMatchObject({ kind: 'over', outcome: 'moved' });
      expect(left.at(-1)?.seq).toBeGreaterThan(last);
      expect(first).toMatchObject({ kind: 'keeper', seq: (left.at(-1)?.seq ?? 0) + 1 });
      expect(readdirSync(directory).filter((file) => file.startsWith('next'))).toEqual([
        'next.lock',
      ]);
    }
    expect(await seen(name)).toMatchObject({ state: 'runnable', life: 3 });
    // It never ran, wherever it was.
    expect(await http(name, 'POST', '/v1/td/start')).toMatchObject({
      ...{ status: 200, body: { changed: true, td: { state: 'running' } } },
    });
  });

  test('a TD runs on where it is to stand still for one who is gone by then', async () => {
    const name = `alone-${place}`;
    const pid = await launch(moving(name, where));
    const state = await openStateDirectory(process.env, { create: true });
    const { peer } = await reachSource(state, name, { self: identity(), typed: () => {} });
    const asked = peer.ask('quiesce', { pause: true }, { deadlineMs: 10_000 });
    // Both are with its keeper at once, in this order.
    peer.close();
    await expect(asked).rejects.toMatchObject({ code: 'TDCTL_E_NOT_ANSWERING' });
    expect(await http(name, 'POST', '/v1/td/pause')).toMatchObject({ status: 200 });
    expect(await http(name, 'POST', '/v1/td/resume')).toMatchObject({ status: 200 });
    expect(await seen(name)).toMatchObject({ state: 'running', keeper: { pid } });
  });
});

describe('what cannot move stays as it is', () => {
  test('a kernel that moves no TDs is told before anything is begun', async () => {
    const pid = await launch(moving('fixed', { kernel: undefined }));
    await expect(move(moving('fixed', { kernel: undefined }))).rejects.toMatchObject({
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      exitCode: 8,
      message: expect.stringContaining('does not move TDs'),
    });
    expect(await seen('fixed')).toMatchObject({ state: 'running', keeper: { pid } });
  });

  test('a TD that somebody has asked to end, and one that moves already', async () => {
    await launch(moving('busy'));
    const state = await openStateDirectory(process.env, { create: true });
    const other = await ownNext(state, 'busy', { keeper: identity(), beforeWrite: () => {} });
    await expect(move(moving('busy'))).rejects.toMatchObject({
      ...{ code: 'TDCTL_E_CONFLICT', exitCode: 4 },
      message: expect.stringContaining('is being moved already'),
    });
    other?.end();
    await cli(['stop', 'busy', '--grace', '1h']);
    await expect(move(moving('busy'))).rejects.toMatchObject({
      code: 'TDCTL_E_CONFLICT',
      message: expect.stringContaining('somebody has asked for its end'),
    });
    expect(await seen('busy')).toMatchObject({ state: 'running' });
  });

  test('a TD whose file is another one by now', async () => {
    const pid = await launch(moving('other'));
    const spec = moving('other').spec.replace('vcpus: 4', 'vcpus: 2');
    await expect(move(moving('other', { spec }))).rejects.toMatchObject({
      code: 'TDCTL_E_MIGRATION_REFUSED',
      details: expect.arrayContaining(['vCPUs: 4 there, 2 here']),
    });
    expect(await seen('other')).toMatchObject({ state: 'running', keeper: { pid } });
  });
});

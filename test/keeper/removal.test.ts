/** What is over is removed, whole, and nothing that somebody has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import type { KeeperIdentity } from '../../src/keeper/identity.ts';
import { readKeptTds } from '../../src/keeper/kept-tds.ts';
import { readProcess } from '../../src/keeper/process-stat.ts';
import { pruneTds, removeTd } from '../../src/keeper/removal.ts';
import type { StateDirectory } from '../../src/keeper/state-directory.ts';
import type { StatusRecord } from '../../src/keeper/status.ts';
import { ownTd } from '../../src/keeper/td-directory.ts';
import { until } from '../support/processes.ts';
import {
  asNobody,
  deadPid,
  freshState,
  identity,
  otherProcess,
  requirePython,
  requireRoot,
  stateAt,
  status,
} from './support.ts';

async function write(
  state: StateDirectory,
  name: string,
  td: Partial<StatusRecord> = {},
  keeper: Partial<KeeperIdentity> = { pid: deadPid() },
): Promise<void> {
  const owned = await ownTd(state, name, { create: true });
  owned?.beginLife({ ...identity(), ...keeper });
  owned?.writeStatus(status(name, td));
  owned?.release();
}

const namesIn = (state: StateDirectory) => readdirSync(state.tdsPath);

const holds = `
  const td = await tdDirectory.ownTd(state, 'web', { create: true });
  say(1);
  await stay();`;

describe('one TD', () => {
  test('that is lost is removed, and a second time there is none', async (context) => {
    const state = await freshState(context);
    await write(state, 'web');
    expect(await removeTd(state, 'web')).toBe(true);
    expect(namesIn(state)).toEqual([]);
    expect(await removeTd(state, 'web')).toBe(false);
  });

  test('that another process owns is left as it is', async (context) => {
    const state = await freshState(context);
    const other = otherProcess(context, { path: state.path, code: holds });
    await other.line();
    await expect(removeTd(state, 'web')).rejects.toMatchObject({ code: 'TDCTL_E_CONFLICT' });
    expect(namesIn(state)).toEqual(['web']);
    await other.kill();
    expect(await removeTd(state, 'web')).toBe(true);
  });

  test('whose files are damaged is removed when nobody has it', async (context) => {
    const state = await freshState(context);
    await write(state, 'web');
    writeFileSync(join(state.tdPath('web'), 'status.json'), '{');
    expect(await removeTd(state, 'web')).toBe(true);
  });

  test('a removal of it that was cut off is finished', async (context) => {
    const state = await freshState(context);
    mkdirSync(join(state.tdsPath, '.removing-web-01234567', 'deep'), { recursive: true });
    expect(await removeTd(state, 'web')).toBe(false);
    expect(namesIn(state)).toEqual([]);
  });

  test('that the kernel is still taking down stays until that is over', async (context) => {
    requirePython(context);
    const state = await freshState(context);
    const { pid, end } = await exiting(context);
    await write(state, 'web', {}, { pid, startTime: readProcess(pid)?.startTime ?? '' });
    expect(readKeptTds(state)).toMatchObject([{ state: 'draining', holdsKeySlot: true }]);
    await expect(removeTd(state, 'web')).rejects.toMatchObject({ code: 'TDCTL_E_CONFLICT' });
    expect(await pruneTds(state)).toMatchObject({ removed: [] });
    await end();
    expect(readKeptTds(state)).toMatchObject([{ state: 'lost', holdsKeySlot: false }]);
    expect(await removeTd(state, 'web')).toBe(true);
  });
});

/** A process whose first thread has ended while another has its files open. */
async function exiting(context: TestContext) {
  const script = `
import ctypes, threading
threading.Thread(target=threading.Event().wait).start()
print(1, flush=True)
ctypes.CDLL(None).pthread_exit(None)`;
  const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  await until(() => readProcess(pid)?.state === 'Z');
  const end = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { pid, end };
}

describe('all that is over', () => {
  test('goes, and the rest stays as it is', async (context) => {
    const state = await freshState(context);
    const other = otherProcess(context, { path: state.path, code: holds });
    await other.line();
    await write(state, 'lost');
    await write(state, 'ended', { state: 'destroyed', holdsKeySlot: false });
    await write(state, 'failed', { state: 'failed', holdsKeySlot: false });
    await write(state, 'lives', {}, {});
    await write(state, 'elsewhere', {}, { pidNamespace: 'pid:[1]' });
    await write(state, 'damaged');
    writeFileSync(join(state.tdPath('damaged'), 'status.json'), '{');
    mkdirSync(state.tdPath('half'), { mode: 0o700 });
    mkdirSync(join(state.tdsPath, '.removing-gone-01234567'));
    expect(await pruneTds(state)).toEqual({
      removed: ['ended', 'failed', 'half', 'lost'],
      finished: 1,
      failed: [],
    });
    expect(namesIn(state).sort()).toEqual(['damaged', 'elsewhere', 'lives', 'web']);
    expect(await pruneTds(state)).toEqual({ removed: [], finished: 0, failed: [] });
  });

  test('goes as far as it is wanted', async (context) => {
    const state = await freshState(context);
    await write(state, 'a', { labels: { keep: 'yes' } });
    await write(state, 'b');
    expect((await pruneTds(state, (td) => td.labels.keep !== 'yes')).removed).toEqual(['b']);
  });

  test('but one whose name is taken over at that moment stays', async (context) => {
    const state = await freshState(context);
    await write(state, 'web', { state: 'destroyed' });
    const owned = await ownTd(state, 'web', { create: true });
    expect(await pruneTds(state)).toEqual({ removed: [], finished: 0, failed: [] });
    owned?.release();
  });

  test('goes once, however many remove it at the same time', async (context) => {
    const state = await freshState(context);
    const names = Array.from({ length: 40 }, (_, number) => `td-${number}`);
    for (const name of names) await write(state, name);
    const prunes = await Promise.all([pruneTds(state), pruneTds(state), pruneTds(state)]);
    expect(prunes.flatMap(({ removed }) => removed).sort()).toEqual(names.sort());
    expect(prunes.flatMap(({ failed }) => failed)).toEqual([]);
    expect(namesIn(state)).toEqual([]);
  });

  test('or is told of each why it cannot go', async (context) => {
    requireRoot(context);
    const state = await freshState(context);
    const parent = dirname(state.path);
    chmodSync(parent, 0o777);
    await asNobody(async () => {
      const own = await stateAt(join(parent, 'own'));
      await write(own, 'a');
      await write(own, 'b');
      chmodSync(own.tdsPath, 0o500);
      const { removed, failed } = await pruneTds(own);
      expect(removed).toEqual([]);
      expect(failed).toMatchObject([
        { name: 'a', error: { code: 'TDCTL_E_NOT_WRITABLE' } },
        { name: 'b', error: { code: 'TDCTL_E_NOT_WRITABLE' } },
      ]);
      chmodSync(own.tdsPath, 0o700);
      expect((await pruneTds(own)).removed).toEqual(['a', 'b']);
    });
  });

  test('and what is in the place of a TD and is none stays, and is told', async (context) => {
    const state = await freshState(context);
    symlinkSync('/nowhere', state.tdPath('link'));
    await pruneTds(state);
    expect(namesIn(state)).toEqual(['link']);
    await expect(removeTd(state, 'link')).rejects.toMatchObject({
      code: 'TDCTL_E_STATE_DIRECTORY',
    });
    expect(existsSync('/nowhere')).toBe(false);
  });
});

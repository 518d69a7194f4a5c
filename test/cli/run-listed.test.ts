/** A run in the foreground is a kept TD for as long as it lasts. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readKeptTd } from '../../src/keeper/kept-tds.ts';
import { openStateDirectory } from '../../src/keeper/state-directory.ts';
import { filesOf, http } from '../keeper/keepers.ts';
import { connected } from '../support/sockets.ts';
import { startTdctl, tdctl } from '../support/tdctl.ts';

const run = ['run', 'examples/hello.yaml', '--host', 'sim'];
const holds = 'the TD counts as running, and is held';
const state = () => openStateDirectory(process.env, { create: true });
const names = async () => readdirSync((await state()).tdsPath);

test('it is found under its name, is stopped from elsewhere, and leaves nothing', async () => {
  const running = startTdctl(run);
  await running.waitForStderr(holds);
  expect(readKeptTd(await state(), 'hello')).toMatchObject({
    state: 'running',
    holdsKeySlot: true,
    keeper: { pid: running.child.pid, lives: true },
  });
  const { socket } = await filesOf('hello');
  (await connected(socket)).destroy();
  expect((await http('hello', 'POST', '/v1/td/stop')).body).toMatchObject({ changed: true });
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(await names()).toEqual([]);
});

test('one of a name that is taken has another one, and a killed run is told and stays', async () => {
  const first = startTdctl(run);
  await first.waitForStderr(holds);
  const second = startTdctl(run);
  await second.waitForStderr(holds);
  expect(readKeptTd(await state(), 'hello-2')).toMatchObject({ state: 'running' });
  first.child.kill('SIGKILL');
  await first.ended;
  expect(readKeptTd(await state(), 'hello')).toMatchObject({ state: 'lost', holdsKeySlot: false });
  second.child.kill('SIGTERM');
  await second.ended;
  expect(await names()).toEqual(['hello']);
});

test('it goes on unlisted where there is no directory for it, and says so once', async () => {
  const args = [...run, '--until', 'runnable', '-o', 'json'];
  const listed = await tdctl(args);
  const unlisted = await tdctl(args, { env: { TDCTL_STATE_DIR: '/proc/none' } });
  expect(unlisted.exitCode).toBe(0);
  expect(unlisted.stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^note: `tdctl list` will not have this run: \/proc\/none: /),
  ]);
  const states = (text: string) => text.match(/"event":"state.entered"/g)?.length;
  expect(states(unlisted.stdout)).toBe(states(listed.stdout));
});

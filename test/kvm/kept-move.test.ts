/** A guest goes from keeper to keeper on soft, with whoever is attached to it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readJournal } from '../../src/keeper/journal/index.ts';
import { moveRange } from '../../src/keeper/move/protocol.ts';
import { filesOf } from '../keeper/keepers.ts';
import { cli } from '../support/cli.ts';
import { data, keeping } from '../support/kept.ts';
import { unpackedTdctl } from '../support/packed.ts';
import { until } from '../support/processes.ts';
import { startTdctl } from '../support/tdctl.ts';
import { skipWithoutKvm } from './soft-rehearsal-support.ts';

const { spec, scratch } = keeping();
const moves = 3;
const withConsole = (place: Readonly<Record<string, string>>) => (text: string) =>
  text.replace(/^spec:$/m, `spec:\n  console: ${JSON.stringify(place)}`);

beforeEach(skipWithoutKvm);

test('it counts on without a number lost, a console stays attached, and what is typed comes once', async () => {
  const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
  expect(await cli(['create', spec('counts'), ...soft])).toMatchObject({ exitCode: 0 });
  const { child, ended } = startTdctl(['console', 'counts'], { stdin: 'open' });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const pids = new Set<number>();
  for (let at = 1; at <= moves; at += 1) {
    const moved = cli(['migrate', 'counts', '-o', 'json']);
    for (const half of ['a', 'b']) child.stdin.write(`line ${at}${half}\n`);
    const { toKeeper, blackoutMs } = JSON.parse((await moved).stdout);
    pids.add(toKeeper.pid);
    expect(blackoutMs).toBeGreaterThan(0);
  }
  expect(pids.size).toBe(moves);
  child.stdin.write('quit\n');
  const { stdout } = await ended;
  const said = [...stdout.matchAll(/^you said: line (\w+)\r?$/gm)].map(([, line]) => line);
  expect(said).toEqual(['1a', '1b', '2a', '2b', '3a', '3b']);
  const log = (await cli(['logs', 'counts'])).stdout;
  expect(log.endsWith(stdout)).toBe(true);
  expect(log).not.toContain('LOST');
  const counts = [...log.matchAll(/^vcpu 0 count (\d+)\r?$/gm)].map(([, count]) => Number(count));
  expect(counts).toEqual(Array.from(counts, (_, place) => place + 1));
  expect(await data(['show', 'counts'])).toMatchObject({ state: 'destroyed', life: moves + 1 });
});

test('its console file has all that it printed, in its order, whichever keeper wrote it', async () => {
  const file = join(scratch, 'filed.log');
  const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
  expect(await cli(['create', spec('filed', withConsole({ file })), ...soft])).toMatchObject({
    exitCode: 0,
  });
  for (let at = 1; at <= moves; at += 1) {
    expect(await cli(['migrate', 'filed'])).toMatchObject({ exitCode: 0 });
  }
  expect(await cli(['stop', 'filed', '--wait'])).toMatchObject({ exitCode: 0 });
  const log = (await cli(['logs', 'filed'])).stdout;
  expect(log).toContain('vcpu 0 count 2');
  expect(readFileSync(file, 'utf8')).toBe(log);
});

test('who is attached to its socket stays so, loses nothing, and nobody else gets in meanwhile', async () => {
  const path = join(scratch, 'own.sock');
  const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
  expect(
    await cli(['create', spec('wired', withConsole({ socket: path })), ...soft]),
  ).toMatchObject({ exitCode: 0 });
  const client = connect(path);
  let heard = '';
  client.setEncoding('latin1').on('data', (text) => {
    heard += text;
  });
  await until(() => heard.includes('vcpu 0 count'));
  for (let at = 1; at <= moves; at += 1) {
    const moved = cli(['migrate', 'wired', '-o', 'json']);
    for (const half of ['a', 'b']) client.write(`line ${at}${half}\n`);
    expect(await moved).toMatchObject({ exitCode: 0 });
    await until(() => heard.includes(`you said: line ${at}b\r\n`));
    const second = connect(path);
    const [said] = await once(second.setEncoding('latin1'), 'data');
    expect(said).toContain('somebody is attached to this console already');
    second.destroy();
  }
  client.write('quit\n');
  await once(client, 'end');
  const said = [...heard.matchAll(/^you said: line (\w+)\r?$/gm)].map(([, line]) => line);
  expect(said).toEqual(['1a', '1b', '2a', '2b', '3a', '3b']);
  expect(heard).toBe((await cli(['logs', 'wired'])).stdout);
  expect(heard).not.toContain('LOST');
  await until(() => !existsSync(path));
});

test('a keeper from before that could be passed on keeps its TD with who is attached, and says so', async () => {
  const before = join(unpackedTdctl(join(scratch, 'before'), '0.0.1'), 'package/dist');
  const program = readFileSync(join(before, 'keeper.js'), 'utf8');
  const { oldest, newest } = moveRange;
  const older = program.replace(`{oldest:${oldest},newest:${newest}}`, '{oldest:1,newest:1}');
  expect(older).not.toBe(program);
  writeFileSync(join(before, 'keeper.js'), older);
  const path = join(scratch, 'old.sock');
  const create = [
    'create',
    spec('old', withConsole({ socket: path })),
    '--host',
    'soft',
    '--start',
  ];
  const kernel = ['--kernel', 'rfc-migration-v2'];
  execFileSync(process.execPath, [join(before, 'tdctl.js'), ...create, ...kernel]);
  const client = connect(path);
  await once(client, 'data');
  expect(await cli(['migrate', 'old'])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('which a keeper of tdctl 0.0.1 cannot pass on'),
  });
  client.write('quit\n');
  await once(client, 'end');
});

/** What is done in one go has the intent to move on the disk before the move, and the word of it out before it runs. */
test.each([
  ['right before the move', 0],
  ['right after it', 1],
])('a next keeper that dies %s leaves no doubt who had it', async (place, later) => {
  const name = `dies-${later}`;
  const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
  expect(await cli(['create', spec(name), ...soft])).toMatchObject({ exitCode: 0 });
  expect(await cli(['migrate', name])).toMatchObject({ exitCode: 0 });
  // As many as the next keeper of this one writes until then.
  const records = readJournal((await filesOf(name)).journal).records;
  const moving = records.findIndex(
    (record) => record.kind === 'begins' && record.step === 'moving',
  );
  expect(moving).toBeGreaterThan(0);
  const fault = `die-at:${moving + 1 + later}`;
  const moved = await startTdctl(['migrate', name], { env: { TDCTL_KEEPER_FAULT: fault } }).ended;
  expect(moved.exitCode, place).not.toBe(0);
  const lines = async () => (await cli(['logs', name])).stdout.match(/^vcpu 0 count \d+/gm) ?? [];
  const before = (await lines()).length;
  // By the lane or, on a machine with much to do, without it: as many records lead to another place then.
  let told = await data(['show', name]);
  await until(async () => {
    told = await data(['show', name]);
    return told.state === 'failed' || (await lines()).length > before;
  });
  if (told.state === 'failed') {
    expect(JSON.stringify(told)).toContain('had moved to its next keeper');
    return;
  }
  const counts = (await lines()).map((line) => Number(line.split(' ').at(-1)));
  expect(counts).toEqual(Array.from(counts, (_, at) => at + 1));
});

/** A guest goes from keeper to keeper on soft, with whoever is attached to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readJournal } from '../../src/keeper/journal/index.ts';
import { filesOf } from '../keeper/keepers.ts';
import { cli } from '../support/cli.ts';
import { data, keeping } from '../support/kept.ts';
import { until } from '../support/processes.ts';
import { startTdctl } from '../support/tdctl.ts';
import { skipWithoutKvm } from './soft-rehearsal-support.ts';

const { spec, scratch } = keeping();
const moves = 3;

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
  const withFile = (text: string) =>
    text.replace(/^spec:$/m, `spec:\n  console:\n    file: ${file}`);
  const soft = ['--host', 'soft', '--kernel', 'rfc-migration-v2', '--start'];
  expect(await cli(['create', spec('filed', withFile), ...soft])).toMatchObject({ exitCode: 0 });
  for (let at = 1; at <= moves; at += 1) {
    expect(await cli(['migrate', 'filed'])).toMatchObject({ exitCode: 0 });
  }
  expect(await cli(['stop', 'filed', '--wait'])).toMatchObject({ exitCode: 0 });
  const log = (await cli(['logs', 'filed'])).stdout;
  expect(log).toContain('vcpu 0 count 2');
  expect(readFileSync(file, 'utf8')).toBe(log);
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

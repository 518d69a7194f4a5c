/** A guest that counts goes through ten upgrades of its keeper, with somebody at its console all the while. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { ExampleGuestJudge } from '../../src/guest/example-guest.ts';
import { cli } from '../support/cli.ts';
import { data, keeping } from '../support/kept.ts';
import { unpackedTdctl } from '../support/packed.ts';
import { startTdctl } from '../support/tdctl.ts';
import { skipWithoutKvm } from './soft-rehearsal-support.ts';

const { spec, scratch } = keeping();
const upgrades = 10;
const next = '99.0.0';
const host = ['--host', 'soft', '--kernel', 'rfc-migration-v2'];

test('it loses no number and no word, and what is typed arrives', async (context) => {
  skipWithoutKvm(context);
  const unpacked = unpackedTdctl(join(scratch, 'next'), next);
  const file = spec('counts', (text) => text.replace(/vcpus: \d+/, 'vcpus: 1'));
  expect(await cli(['create', file, ...host, '--start'])).toMatchObject({ exitCode: 0 });
  const attached = startTdctl(['console', 'counts'], { stdin: 'open' });
  const following = startTdctl(['events', '-f', 'counts', '-o', 'json']);
  await attached.waitForStdout('vcpu 0 count');
  const blackouts: number[] = [];
  for (const at of Array.from({ length: upgrades }, (_, index) => index + 1)) {
    const to = at % 2 === 1 ? ['--with', unpacked] : [];
    // It is typed while nobody can say yet which keeper takes it.
    attached.child.stdin.write(`word ${at}\n`);
    const { exitCode, items, ...report } = await data(['upgrade', 'counts', ...to]);
    expect({ exitCode, items }).toMatchObject({ exitCode: 0, items: [{ result: 'moved' }] });
    blackouts.push(report.worstBlackoutMs);
    await attached.waitForStdout(`you said: word ${at}\r\n`);
  }
  expect(await data(['show', 'counts'])).toMatchObject({
    ...{ state: 'running', life: upgrades + 1 },
    keeper: { tdctl: version() },
  });
  attached.child.stdin.end('quit\n');
  const { stdout, stderr, exitCode } = await attached.ended;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: 'counts: the guest has powered off\n',
  });
  expect(Math.max(...blackouts)).toBeGreaterThan(0);

  const { stdout: log } = await cli(['logs', 'counts']);
  expect(log.endsWith(stdout)).toBe(true);
  const judge = new ExampleGuestJudge();
  judge.hear(Buffer.from(log), 0);
  const { vcpus, garbled, goodbye } = judge.verdict();
  expect({ vcpus, garbled, goodbye }).toMatchObject({
    vcpus: [{ vcpu: 0, hellos: 1 }],
    garbled: { total: 0 },
    goodbye: true,
  });
  const counts = [...log.matchAll(/^vcpu 0 count (\d+)\r?$/gm)].map(([, count]) => Number(count));
  expect(counts).toEqual(Array.from({ length: counts.length }, (_, count) => count + 1));
  expect(log).not.toContain('LOST');
  const told = (await following.ended).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).journalRecord);
  const moved = told.filter(({ kind, outcome }) => kind === 'over' && outcome === 'moved');
  expect(moved).toHaveLength(upgrades);
  const numbers = told.map(({ seq }) => seq);
  expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
});

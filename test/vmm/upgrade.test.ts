/**
 * `tdctl upgrade` and `migrate` of a TD that QEMU has: nothing moves, and another keeper takes the place of the one that
 * is there, while the guest runs on.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unpackedTdctl } from '../support/packed.ts';
import { live } from './live.ts';

const next = '99.0.0';
let scratch: string;
let unpacked: string;
let broken: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tdctl-next-'));
  unpacked = unpackedTdctl(join(scratch, 'next'), next);
  broken = join(scratch, 'broken');
  mkdirSync(join(broken, 'dist'), { recursive: true });
  // It says that it could take a TD over, and cannot.
  writeFileSync(
    join(broken, 'dist/keeper.js'),
    `if (process.argv[2] === '--speaks') {
       console.log(JSON.stringify({ tdctl: '98.0.0', move: { oldest: 1, newest: 1 } }));
     } else process.exit(3);`,
  );
});
afterAll(() => rmSync(scratch, { recursive: true }));

const whoKeeps = 'td show web | grep -E "^  (state|keeper)"';

test('the TDs of QEMU go to keepers of the next tdctl and back, and one whose keeper has died goes as well', async (context) => {
  const lived = await live(context, {
    door: 'shared',
    guest: '{hold: true}, {hold: true}',
    script: `
      create
      had=$(qemu)
      td upgrade --all --with ${unpacked}
      td upgrade web --with ${unpacked}
      ${whoKeeps}
      td pause web
      td migrate web
      ${whoKeeps}
      kill -9 $(keeper)
      td upgrade web
      ${whoKeeps}
      [ "$had" = "$(qemu)" ] && echo 'the same QEMU'
      td resume web
      td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    'web',
    expect.stringMatching(/^web: moved: process \d+ → \d+, .* → 99\.0\.0; its vCPUs ran on$/),
    expect.stringMatching(/^1 of 1 TD moved to tdctl 99\.0\.0/),
    'web: nothing to do: its keeper is of tdctl 99.0.0 already',
    '0 of 1 TD moved to tdctl 99.0.0',
    expect.stringMatching(/state +running/),
    expect.stringContaining('of tdctl 99.0.0, since'),
    'web: paused',
    expect.stringMatching(/^web: moved: process \d+ → \d+, tdctl 99\.0\.0 → [\d.]+$/),
    expect.stringMatching(/state +paused/),
    expect.not.stringContaining('99.0.0'),
    expect.stringMatching(/^web: moved: process \d+ → \d+$/),
    expect.stringMatching(/^1 of 1 TD moved/),
    expect.stringMatching(/state +paused/),
    expect.stringContaining('since'),
    ...['the same QEMU', 'web: running', 'web: destroyed', ''],
  ]);
});

test('where the next keeper cannot, one of the tdctl before has the TD again', async (context) => {
  const lived = await live(context, {
    door: 'shared',
    guest: '{hold: true}',
    script: `
      create
      td upgrade web --with ${broken} 2>&1; echo "exit $?"
      ${whoKeeps}
      td stop web --wait
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    'web',
    '0 of 1 TD moved to tdctl 98.0.0',
    expect.stringContaining('the keeper of web ended without a word (exit code 3)'),
    expect.stringMatching(/TD web keeps running under tdctl [\d.]+, process \d+$/),
    expect.stringContaining('hint:'),
    'exit 1',
    expect.stringMatching(/state +running/),
    expect.not.stringContaining('98.0.0'),
    ...['web: destroyed', ''],
  ]);
});

test('a TD that `run` keeps in the foreground stays there', async (context) => {
  const lived = await live(context, {
    door: 'shared',
    guest: '{hold: true}',
    script: `
      td run td.yaml --host $host >/dev/null 2>&1 & runs=$!
      until [ "$(state)" = running ]; do sleep 0.1; done
      td upgrade web --force 2>&1 >/dev/null | head -1
      state
      td stop web --wait
      wait $runs
    `,
  });
  expect(lived.stdout.split('\n')).toEqual([
    expect.stringContaining('TD web is kept by the command that runs it, and ends with that'),
    ...['running', expect.stringMatching(/^web: /), ''],
  ]);
});

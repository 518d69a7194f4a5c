/** TDs of several processes that share one simulated host with one key slot: each has its turn, in order. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { requireAddon } from '../native/support.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

/** What bash runs on the shared host. */
const words = (main: string) => `
  set -u
  td() { ${process.execPath} ${main} "$@"; }
  spec=${join(projectRoot, 'examples/hello.yaml')}
  create() { td create $spec --host kvm --name "$@" >/dev/null; }
  states() { echo "$(td list -o json | tr -d ' \\n' | grep -o '"name":"[a-z0-9]*","labels\\|"state":"[a-z]*"' | cut -d'"' -f4 | tr '\\n' ' ')"; }
  pid() { td show $1 -o json | grep '"pid"' | head -1 | tr -dc 0-9; }
`;

const day = `
  create t1
  for each in t2 t3 t4; do
    create $each --queue & until td wait $each --for queued >/dev/null 2>&1; do :; done
  done
  states
  create t5 2>refused; echo "t5 $?"; grep -o 'has one: t1\\|waits, place [1-3]: t[2-4]' refused
  td delete t5 >/dev/null
  kill -9 $(pid t3)
  td stop t1 --wait >/dev/null
  td wait t2 --for runnable >/dev/null
  states
  td stop t4 --wait >/dev/null; td stop t2 --wait >/dev/null
  create t3; states
  td stop t3 --wait >/dev/null
  wait
`;

/** Each of those that wait comes to another end before its turn, of which whoever waits for it is told. */
const ends = `
  create holder
  all='forced killed dies stopped term'
  for each in $all; do
    (create $each --queue 2>$each.told; echo "$each $?" >$each.code) &
  done
  until td wait $all --for queued >/dev/null 2>&1; do sleep 0.1; done
  td show stopped | grep -o 'waits for one as number [1-5] of 5; nobody knows' | tr 1-4 5
  td show stopped -o json >read; td show stopped --ask -o json >asked
  place() { tr -d ' \\n' <$1 | grep -o '"queue":{[^}]*}\\|"notes":[^,]*'; }
  diff <(place read) <(place asked) && echo 'the same by its keeper'
  td stop stopped >/dev/null; td kill killed >/dev/null; td delete forced --force >/dev/null
  kill $(pid term); kill -9 $(pid dies)
  wait
  cat *.code; states
  grep -o '([^)]*) while it waited for a key slot' *.told
  create late 2>refused; echo "late $?"; grep -c 'has one: holder' refused; grep -c waits refused
  td stop holder --wait >/dev/null
  find s/queue -type f -size +0
`;

async function onOneSlot(context: TestContext, script: string) {
  requireAddon(context);
  const directory = mkdtempSync(join(tmpdir(), 'tdq-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'day.sh'), words(builtMain()) + script);
  const { stdout, stderr } = await tdctl(
    ['exec', '--host', 'sim:one-slot', '--', 'bash', 'day.sh'],
    {
      cwd: directory,
      env: { ...process.env, TDCTL_STATE_DIR: join(directory, 's') },
    },
  );
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim());
  return { lines, stderr };
}

test('in order, whoever dies or leaves the line, and who does not wait is told who does', async (context) => {
  const { lines, stderr } = await onOneSlot(context, day);
  expect(lines).toEqual([
    't1 runnable t2 queued t3 queued t4 queued',
    't5 7',
    'has one: t1',
    'waits, place 1: t2',
    'waits, place 2: t3',
    'waits, place 3: t4',
    't1 destroyed t2 runnable t3 lost t4 queued',
    't1 destroyed t2 destroyed t3 runnable t4 destroyed',
  ]);
  expect(stderr).toContain('key slots   1 of 1 at the peak, 0 now');
}, 120_000);

test('whatever ends one that waits, whoever waits for it is told, and its place is given up', async (context) => {
  const { lines, stderr } = await onOneSlot(context, ends);
  expect(lines).toEqual([
    'waits for one as number 5 of 5; nobody knows',
    'the same by its keeper',
    ...['dies 1', 'forced 130', 'killed 130', 'stopped 130', 'term 130'],
    'dies lost holder runnable killed destroyed stopped destroyed term destroyed',
    'dies.told:(SIGKILL) while it waited for a key slot',
    'forced.told:(`tdctl stop`) while it waited for a key slot',
    'killed.told:(`tdctl kill`) while it waited for a key slot',
    'stopped.told:(`tdctl stop`) while it waited for a key slot',
    'term.told:(SIGTERM) while it waited for a key slot',
    ...['late 7', '1', '0'],
  ]);
  expect(stderr).toContain('key slots   1 of 1 at the peak, 0 now');
}, 120_000);

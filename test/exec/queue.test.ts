/** TDs of several processes that share one simulated host with one key slot: each has its turn, in order. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireAddon } from '../native/support.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

/** What bash runs on the shared host. */
const day = (main: string) => `
  set -u
  td() { ${process.execPath} ${main} "$@"; }
  spec=${join(projectRoot, 'examples/hello.yaml')}
  create() { td create $spec --host kvm --name "$@" >/dev/null; }
  states() { echo "$(td list -o json | tr -d ' \\n' | grep -o '"name":"t[0-9]"\\|"state":"[a-z]*"' | cut -d'"' -f4 | tr '\\n' ' ')"; }
  pid() { td show $1 -o json | grep '"pid"' | head -1 | tr -dc 0-9; }
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

test('in order, whoever dies or leaves the line, and who does not wait is told who does', async (context) => {
  requireAddon(context);
  const directory = mkdtempSync(join(tmpdir(), 'tdq-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'day.sh'), day(builtMain()));
  const { stdout, stderr } = await tdctl(
    ['exec', '--host', 'sim:one-slot', '--', 'bash', 'day.sh'],
    {
      cwd: directory,
      env: { ...process.env, TDCTL_STATE_DIR: join(directory, 's') },
    },
  );
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual([
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

/** What `tdctl exec` cannot do is said in a sentence; and what it can do, it can do for ever. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import {
  type ExecSummary,
  execute as executeHere,
  SummaryCollector,
} from '../../src/exec/index.ts';
import { openSimulatedMachine } from '../../src/host/simulated/index.ts';
import { builtMain } from '../support/built.ts';
import { startTdctl, tdctl } from '../support/tdctl.ts';
import { execute, program, scratch, userOptions } from './programs.ts';

describe('a program that nobody may look into', () => {
  test.for(['open', 'ioctl'])(
    'ends with exit code 8 at its first %s, not with ENOTTY',
    async (call, context) => {
      const as = userOptions(context, 'an ordinary user');
      const command = [program(context, 'not-dumpable'), call];
      const { exitCode, stderr } = await tdctl(['exec', '--', ...command], as);
      expect(exitCode).toBe(8);
      expect(stderr).toMatch(/error: thread \d+ of the command may not be looked into, /);
      expect(stderr).not.toContain('Inappropriate ioctl');
    },
  );

  test('is looked into by root', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root may look into such a program');
    const { exitCode } = await execute([program(context, 'not-dumpable'), 'open']);
    expect(exitCode).toBe(0);
  });
});

test('no close is missed, however many come while tdctl stands still', async (context) => {
  // Room in an inotify queue: /proc/sys/fs/inotify/max_queued_events is 16384 by default.
  const files = 18_000;
  const path = join(scratch, 'many-files.json');
  const running = startTdctl(
    ['exec', '--summary', path, '--', program(context, 'many-files'), `${files}`],
    { stdin: 'open' },
  );
  const opened = running.waitForStdout('open').then(
    () => true,
    () => false,
  );
  if (!(await opened)) {
    const { exitCode, stderr } = await running.ended;
    if (exitCode === 77) context.skip(`a process may not have ${files} files open here`);
    throw new Error(stderr);
  }
  const { pid = 0 } = running.child;
  const command = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  running.child.kill('SIGSTOP');
  running.child.stdin.end();
  const state = () => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${command}/status`, 'utf8'))?.[1];
  while (state() !== 'Z') await new Promise((resolve) => setImmediate(resolve));
  running.child.kill('SIGCONT');
  expect(await running.ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ calls: files, stillOpen: [] });
});

test('a limit of tdctl itself is not told as one of the program', (context) => {
  const command = program(context, 'many-processes');
  const limited = `ulimit -n 256 && exec "${process.execPath}" "${builtMain()}" exec -- "${command}" 400`;
  const { status, stderr } = spawnSync('sh', ['-c', limited], { encoding: 'utf8' });
  expect(status).toBe(8);
  expect(stderr).toContain('error: this process has reached a limit of the machine');
  expect(stderr).toContain('the kernel says: EMFILE');
});

interface Growth {
  readonly closed: number;
  /** Of the heap, from one number of closes to the end. */
  readonly bytes: number;
  readonly summary: ExecSummary;
}

async function growth(
  context: TestContext,
  command: readonly string[],
  from: number,
): Promise<Growth> {
  const native = loadAddon();
  if (!native.available) return context.skip('the native addon is not built');
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const heapBytes = () => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  let closed = 0;
  let before = 0;
  const machine = openSimulatedMachine({});
  const collector = new SummaryCollector(machine);
  const running = executeHere({
    command,
    machine,
    supervisor: native.addon.Supervisor,
    hears: 'needed',
    listener: {
      opened: () => collector.opened(),
      called: (call) => collector.called(call),
      unserved: () => {},
      closed: (file) => {
        collector.closed(file);
        closed += 1;
        if (closed === from) before = heapBytes();
      },
    },
  });
  const [exit] = await Promise.all([running.exited, running.ended]);
  const bytes = heapBytes() - before;
  return { closed, bytes, summary: await collector.summary(command, exit, running.openFiles()) };
}

test('files that come and go leave nothing in memory', async (context) => {
  const { closed, bytes } = await growth(context, [program(context, 'cycles'), '30000'], 5000);
  expect(closed).toBe(30_000);
  // An entry of a map would be more than 40 bytes for each of the 25,000 since.
  expect(bytes).toBeLessThan(1_000_000);
});

test('VMs that come and go leave nothing in memory, and are all counted', async (context) => {
  const vms = 10_000;
  const { bytes, summary } = await growth(context, [program(context, 'many-vms'), `${vms}`], 4000);
  // The first 2000 were made by then; a record of each of the others would be more than 100 bytes.
  expect(bytes).toBeLessThan(500_000);
  expect(summary.vms).toHaveLength(1000);
  expect(summary.furtherVms).toEqual({
    tds: 0,
    ordinary: vms - 1000,
    finalized: 0,
    vcpus: { created: vms - 1000, initialized: 0 },
    pages: { added: 0, measured: 0 },
  });
  expect(summary.stillOpen).toEqual([]);
});

test.for([450, 700, 65_536])('a signal ends KVM_RUN with %i groups', async (groups, context) => {
  const command = [program(context, 'many-groups'), `${groups}`];
  const { exitCode, stderr } = await execute(command);
  if (exitCode === 77) context.skip('only root may have so many groups');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

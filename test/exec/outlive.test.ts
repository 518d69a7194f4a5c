/** Nothing outlives tdctl, however it ends, and no program ends it without a word. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, type TestContext, test } from 'vitest';
import { descendants, statFields } from '../../src/cli/exec/descendants.ts';
import { endAll, hasEnded, until } from '../support/processes.ts';
import { type Running, startTdctl, type TdctlOptions } from '../support/tdctl.ts';
import { program, userOptions, users } from './programs.ts';

function start(context: TestContext, command: readonly string[], options?: TdctlOptions): Running {
  const running = startTdctl(['exec', '--quiet', '--', ...command], options);
  context.onTestFinished(() => {
    running.child.kill('SIGKILL');
  });
  return running;
}

/** Every process under tdctl; each is killed with the test, where it has not ended. */
function below(context: TestContext, { child }: Running): readonly number[] {
  const found = descendants(child.pid ?? 0);
  context.onTestFinished(() => endAll(found));
  return found;
}

/** Skips where the program may not do what it is for. */
async function ready(context: TestContext, running: Running, forbidden: string): Promise<void> {
  const isReady = running.waitForStdout('ready').then(
    () => true,
    () => false,
  );
  if (await isReady) return;
  const { exitCode, stderr } = await running.ended;
  if (exitCode === 77) context.skip(forbidden);
  throw new Error(stderr);
}

/** Processes there are of each kind, the guard and the command included. */
const kinds = [
  ['child', 3],
  ['daemon', 3],
  ['subreaper', 4],
  ['namespace', 3],
] as const;

describe.each(users)('run by %s', (user) => {
  describe.each(kinds)('what a program leaves behind (%s)', (kind, processes) => {
    test.for(['SIGKILL', 'SIGABRT'] as const)(
      'ends when tdctl dies of %s',
      async (signal, context) => {
        const options = userOptions(context, user);
        const running = start(context, [program(context, 'outlives'), kind], options);
        await ready(context, running, 'this user may have no PID namespace');
        const left = below(context, running);
        expect(left).toHaveLength(processes);
        running.child.kill(signal);
        expect((await running.ended).signal).toBe(signal);
        await until(() => left.every(hasEnded));
      },
    );
  });
});

test('a process that forks and ends all the time is caught up with', async (context) => {
  const running = start(context, [program(context, 'outlives'), 'comet']);
  await running.waitForStdout('ready');
  const [guard = 0] = below(context, running);
  running.child.kill('SIGKILL');
  // It ends when it has no child any more.
  await until(() => hasEnded(guard));
});

test('the third signal to tdctl kills all that is left, wherever it went', async (context) => {
  const stays = 'setsid sh -c "trap : TERM; while :; do sleep 1000000; done" &';
  const waits = program(context, 'waits');
  const running = start(context, ['sh', '-c', `${stays} exec ${waits}`]);
  await running.waitForStdout('ready');
  const left = below(context, running);
  for (const seen of ['SIGTERM', 'SIGTERM\nSIGTERM']) {
    running.child.kill('SIGTERM');
    await running.waitForStdout(seen);
  }
  running.child.kill('SIGTERM');
  expect((await running.ended).exitCode).toBe(137);
  expect(left.filter((pid) => !hasEnded(pid))).toEqual([]);
});

function statusOf(pid = 0): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

describe('the guard', () => {
  test('has its own session, nothing of tdctl but the socket to it, and none of its memory', async (context) => {
    const running = start(context, [program(context, 'outlives'), 'child']);
    await running.waitForStdout('ready');
    const [guard = 0] = below(context, running);
    const fds = readdirSync(`/proc/${guard}/fd`).map((fd) =>
      readlinkSync(`/proc/${guard}/fd/${fd}`),
    );
    expect(fds).toEqual([expect.stringMatching(/^socket:/)]);
    // What a terminal sends, or somebody sends to the group of tdctl, is not for the guard.
    expect(statFields(`${guard}`)[3]).toBe(`${guard}`);
    const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(statusOf(guard))?.[1];
    const whole = /^RssAnon:\s+(\d+) kB/m.exec(statusOf(running.child.pid))?.[1];
    expect(Number(anonymous)).toBeLessThan(Number(whole) / 4);
  });

  test('is neither ended by signals nor stopped, and the exit code comes through', async (context) => {
    for (const how of ['signals', 'stop', 'stdio']) {
      const running = start(context, [program(context, 'against-guard'), how]);
      expect(await running.ended, how).toMatchObject({ exitCode: 5, stderr: '' });
    }
  });

  test('that is killed is told of, and all it guarded is ended', async (context) => {
    const { running, left } = await turned(context, 'kill');
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('error: the process that guards the command was killed, and so ');
    expect(stderr).toContain('[TDCTL_E_GUARD_LOST]');
    expect(left.filter((pid) => !hasEnded(pid))).toEqual([]);
  });

  test('that was stopped ends what outlives tdctl all the same', async (context) => {
    const { running, left } = await turned(context, 'stop and kill');
    expect((await running.ended).signal).toBe('SIGKILL');
    await until(() => left.every(hasEnded));
  });
});

/** A program that has left a daemon, and turns against its guard. */
async function turned(context: TestContext, how: string) {
  const command = [program(context, 'against-guard'), how];
  const running = start(context, command, { stdin: 'open' });
  await running.waitForStdout('ready');
  const left = below(context, running);
  expect(left).toHaveLength(3);
  running.child.stdin.end('x');
  return { running, left };
}

test('a program may signal its group, as it may under a shell, and tdctl goes on', async (context) => {
  const running = start(context, [program(context, 'against-guard'), 'signal group'], {
    ownGroup: true,
  });
  expect(await running.ended).toMatchObject({ exitCode: 5, signal: null, stderr: '' });
});

test('a program that takes away the files of tdctl ends with a reason', async (context) => {
  const running = start(context, [program(context, 'against-guard'), 'files']);
  const { exitCode, stderr } = await running.ended;
  expect(exitCode).toBe(8);
  expect(stderr).toContain('error: this process has reached a limit of the machine');
});

/** A process is ended only at a moment at which it does nothing, and goes on where it is not to be ended. */
import { spawn } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../../src/keeper/identity.ts';
import { cpuTimeNs, fence, fenceIf } from '../../../src/keeper/move/fence.ts';
import { readProcess } from '../../../src/keeper/process-stat.ts';
import { endAll, hasEnded, stat, until } from '../../support/processes.ts';
import { identity } from '../support.ts';

const pids: number[] = [];
afterEach(() => endAll(pids.splice(0)));

function started(): ProcessIdentity {
  const { pid = 0 } = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  pids.push(pid);
  return { ...identity(), pid, startTime: readProcess(pid)?.startTime ?? '' };
}

test('it stands still while that is decided, and is gone where it is to be ended', async () => {
  const other = started();
  const seen: (string | undefined)[] = [];
  const isRight = async () => {
    seen.push(stat(other.pid)?.[0]);
    return true;
  };
  expect(await fenceIf(other, isRight)).toBe(true);
  expect(seen).toEqual(['T']);
  expect(hasEnded(other.pid)).toBe(true);
});

test('it goes on where it is not to be ended, and has the time of a CPU', async () => {
  const other = started();
  expect(await fenceIf(other, async () => false)).toBe(false);
  const before = cpuTimeNs(other) ?? 0;
  await until(() => (cpuTimeNs(other) ?? 0) > before);
});

test('one that stood still before stays so where it is not to be ended', async () => {
  const other = started();
  process.kill(other.pid, 'SIGSTOP');
  await until(() => stat(other.pid)?.[0] === 'T');
  expect(await fenceIf(other, async () => false)).toBe(false);
  expect(stat(other.pid)?.[0]).toBe('T');
});

test('where somebody lets it go on meanwhile it is asked again', async () => {
  const other = started();
  let times = 0;
  const isRight = async () => {
    times += 1;
    if (times === 1) {
      process.kill(other.pid, 'SIGCONT');
      await until(() => stat(other.pid)?.[0] !== 'T');
      return true;
    }
    return false;
  };
  expect(await fenceIf(other, isRight)).toBe(false);
  expect(times).toBe(2);
  await until(() => stat(other.pid)?.[0] === 'R');
});

test('one that is gone is gone, whatever is answered', async () => {
  const other = started();
  await fence(other);
  expect(await fenceIf(other, async () => false)).toBe(true);
  expect(cpuTimeNs({ pid: other.pid })).toBeUndefined();
});

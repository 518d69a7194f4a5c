/** Whether a keeper is there is told by what cannot be mistaken: its number alone never is. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { type KeeperIdentity, ownIdentity } from '../../src/keeper/identity.ts';
import { type Presence, presenceOf, vantage } from '../../src/keeper/presence.ts';
import { readProcess } from '../../src/keeper/process-stat.ts';
import { until } from '../support/processes.ts';
import { deadPid, identity, requirePython } from './support.ts';

/** The identity of another process: what it would write of itself. */
const identityOf = (pid: number): KeeperIdentity => ({
  ...identity(),
  pid,
  startTime: readProcess(pid)?.startTime ?? '',
});

const seen = (of: KeeperIdentity): Presence => presenceOf(of, vantage());

function sleeper(context: TestContext) {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  return { child, pid: child.pid ?? 0 };
}

test('one that runs is there, and this one knows itself', (context) => {
  expect(seen(identity())).toBe('lives');
  expect(seen(identityOf(sleeper(context).pid))).toBe('lives');
});

test('one that SIGSTOP has stopped is there, and goes on when it is told to', async (context) => {
  const { child, pid } = sleeper(context);
  const keeper = identityOf(pid);
  child.kill('SIGSTOP');
  await until(() => seen(keeper) === 'stopped');
  child.kill('SIGCONT');
  await until(() => seen(keeper) === 'lives');
});

test('one that was killed is gone', async (context) => {
  const { child, pid } = sleeper(context);
  const keeper = identityOf(pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(seen(keeper)).toBe('gone');
});

test('one that has ended and is not reaped is gone: it holds nothing', async (context) => {
  // The shell becomes a program that never asks for its child.
  const script = 'sleep 0.01 & echo $!; exec sleep 1000';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  context.onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  const keeper = identityOf(pid);
  await until(() => readProcess(pid)?.state === 'Z');
  expect(seen(keeper)).toBe('gone');
});

test('one whose first thread has ended is on its way out: others still hold its files', async (context) => {
  requirePython(context);
  const script = `
import ctypes, os, threading
threading.Thread(target=threading.Event().wait).start()
print(os.getpid(), flush=True)
ctypes.CDLL(None).pthread_exit(None)`;
  const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const keeper = identityOf(pid);
  await until(() => readProcess(pid)?.state === 'Z');
  expect(seen(keeper)).toBe('exiting');
});

test('a process that has its number by now is another', () => {
  const keeper = identity();
  expect(seen({ ...keeper, startTime: String(Number(keeper.startTime) - 1) })).toBe('recycled');
});

test('no process has the number of one that has ended', () => {
  expect(seen({ ...identity(), pid: deadPid() })).toBe('gone');
});

test('after a boot nobody of before is there, whoever has the number and the start time', () => {
  expect(seen({ ...identity(), bootId: '00000000-0000-0000-0000-000000000000' })).toBe('rebooted');
});

test('a number of another PID namespace tells nothing', (context) => {
  const command = ['-p', '-f', '--mount-proc', 'readlink', '/proc/self/ns/pid'];
  const { status, stdout } = spawnSync('unshare', command, { encoding: 'utf8' });
  if (status !== 0) context.skip('no PID namespace may be made here');
  expect(seen({ ...identity(), pidNamespace: stdout.trim() })).toBe('elsewhere');
});

test('a name with spaces and parentheses does not move the fields', async (context) => {
  const naming = `echo; read line; printf ') Z (1 2' > /proc/$$/comm; echo; read line`;
  const child = spawn('sh', ['-c', naming], { stdio: ['pipe', 'pipe', 'ignore'] });
  context.onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  const atRest = () => readProcess(pid)?.state === 'S';
  await once(child.stdout, 'data');
  await until(atRest);
  const before = readProcess(pid);
  child.stdin.write('\n');
  await once(child.stdout, 'data');
  await until(atRest);
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain('() Z (1 2)');
  expect(readProcess(pid)).toEqual(before);
});

test('an identity is whole', () => {
  const own = ownIdentity({ tdctl: '1.2.3', chartVersion: 3, unit: 'tdctl-td@web.service' });
  expect(own).toMatchObject({ version: 1, pid: process.pid, unit: 'tdctl-td@web.service' });
  expect(own.startTime).toMatch(/^\d+$/);
  expect(own.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(own.pidNamespace).toMatch(/^pid:\[\d+\]$/);
});

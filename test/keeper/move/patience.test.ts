/** How long one keeper waits for the other: what a machine with too much to do makes late is no standstill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ownProcess } from '../../../src/keeper/identity.ts';
import { patience } from '../../../src/keeper/move/patience.ts';
import { Standstill } from '../../../src/keeper/move/standstill.ts';
import { readProcess } from '../../../src/keeper/process-stat.ts';
import { endAll, until } from '../../support/processes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-patience-'));
const pids: number[] = [];
afterAll(() => {
  endAll(pids);
  rmSync(scratch, { recursive: true });
});

test('what came while the one that waits stood still itself is heard before patience is lost', async () => {
  const socketPath = join(scratch, 'peer');
  const server = createServer().listen(socketPath);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect(socketPath);
  const [heard] = (await accepted) as [Socket];
  const happened: string[] = [];
  heard.on('data', () => happened.push('heard'));
  const lost = new Promise<void>((resolve) => {
    patience(1, () => {
      happened.push('lost');
      resolve();
    });
  });
  client.write('here I am');
  for (const since = performance.now(); performance.now() - since < 10; );
  await lost;
  expect(happened).toEqual(['heard', 'lost']);
  client.destroy();
  server.close();
});

/** A process of that program, seen as another keeper is. */
async function begun(program: string) {
  const { pid = 0, stdout } = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  pids.push(pid);
  if (stdout !== null) await once(stdout, 'data');
  const { startTime = '' } = readProcess(pid) ?? {};
  return { ...ownProcess('0.0.0-test'), pid, startTime };
}

const aWhile = () => new Promise((resolve) => setTimeout(resolve, 200));

test('a process that is at work is given more time, and not without end', async () => {
  const standstill = new Standstill(await begun('console.log(); for (;;);'));
  const looks: boolean[] = [];
  while (looks.at(-1) !== true) {
    await aWhile();
    looks.push(standstill.isSeen());
  }
  expect(looks).toEqual([false, false, false, false, true]);
});

test('one that has stopped, and one that is gone, stand still at once', async () => {
  const stopped = await begun('console.log(); for (;;);');
  const standstill = new Standstill(stopped);
  process.kill(stopped.pid, 'SIGSTOP');
  await until(() => readProcess(stopped.pid)?.state === 'T');
  expect(standstill.isSeen()).toBe(true);
  process.kill(stopped.pid, 'SIGKILL');
  await until(() => readProcess(stopped.pid) === undefined);
  expect(standstill.isSeen()).toBe(true);
});

test('one that waits for something that does not come stands still once it does', async () => {
  const waits = await begun(
    'console.log(); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  );
  const seen = async () => {
    const standstill = new Standstill(waits);
    await aWhile();
    return standstill.isSeen();
  };
  while (!(await seen()));
});

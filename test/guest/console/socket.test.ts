/** `spec.console.socket`, by real clients. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConsoleSocket } from '../../../src/guest/index.ts';
import { until } from '../../support/processes.ts';

const directory = mkdtempSync(join(tmpdir(), 'tdctl-console-'));
afterAll(() => rmSync(directory, { recursive: true }));
let sockets = 0;

async function open() {
  sockets += 1;
  const path = join(directory, `${sockets}.sock`);
  const typed: Buffer[] = [];
  const console = await ConsoleSocket.open({
    path,
    input: (bytes) => {
      typed.push(Buffer.from(bytes));
      return bytes.length;
    },
  });
  return { path, console, typed: () => Buffer.concat(typed).toString() };
}

async function attach(path: string) {
  const socket: Socket = connect({ path, allowHalfOpen: true });
  let read = '';
  socket.setEncoding('latin1').on('data', (text) => {
    read += text;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, read: () => read, ended: once(socket, 'end') };
}

const print = (console: ConsoleSocket, text: string) => console.print(Buffer.from(text), 0);

test('a client reads what is printed, also before it came, and what it types goes to the guest', async () => {
  const { path, console, typed } = await open();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  print(console, 'early ');
  const client = await attach(path);
  await until(() => client.read() === 'early ');
  print(console, 'late');
  client.socket.write('typed');
  await until(() => typed() === 'typed');
  await until(() => client.read() === 'early late');
  await console.end();
  await client.ended;
  expect(existsSync(path)).toBe(false);
  client.socket.destroy();
});

test('a second client is told that somebody is attached, and changes nothing', async () => {
  const { path, console, typed } = await open();
  const first = await attach(path);
  print(console, 'a');
  await until(() => first.read() === 'a');
  const second = await attach(path);
  second.socket.write('not for the guest');
  await second.ended;
  expect(second.read()).toMatch(/^tdctl: somebody is attached to this console already/);
  first.socket.write('x');
  await until(() => typed() === 'x');
  first.socket.destroy();
  second.socket.destroy();
  await console.end();
});

test('a client that has left makes room for another, also one that only types no more', async () => {
  const { path, console } = await open();
  const first = await attach(path);
  print(console, '1');
  await until(() => first.read() === '1');
  first.socket.end();
  // It still reads: `echo quit | socat - UNIX-CONNECT:…`.
  print(console, '2');
  await until(() => first.read() === '12');
  const second = await attach(path);
  await first.ended;
  print(console, '3');
  await until(() => second.read() === '3');
  second.socket.destroy();
  await console.end();
  first.socket.destroy();
});

test('a client that does not read costs bounded memory, and is told what it missed', async () => {
  const { path, console } = await open();
  const client = await attach(path);
  print(console, 'begin');
  await until(() => client.read() === 'begin');
  client.socket.pause();
  const block = Buffer.alloc(65_536, 'x');
  const before = process.memoryUsage.rss();
  const blocks = 2048;
  for (let at = 0; at < blocks; at += 1) {
    console.print(block, 0);
    if (at % 64 === 0) await new Promise((next) => setImmediate(next));
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
  print(console, 'END');
  client.socket.resume();
  await until(() => client.read().endsWith('END'));
  const missing = [...client.read().matchAll(/\[tdctl: (\d+) bytes/g)].map(([, bytes]) =>
    Number(bytes),
  );
  const arrived = client.read().replaceAll(/\r\n\[tdctl: [^\]]*\]\r\n/g, '').length;
  expect(missing.length).toBeGreaterThan(0);
  expect(missing.reduce((sum, bytes) => sum + bytes, arrived)).toBe(8 + blocks * block.length);
  client.socket.destroy();
  await console.end();
});

describe('a socket that cannot be had', () => {
  const refusals: readonly (readonly [
    title: string,
    path: () => Promise<string>,
    message: RegExp,
  ])[] = [
    ['one that is served', async () => (await open()).path, /another process serves/],
    [
      'a file of another kind, which stays',
      async () => {
        const path = join(directory, 'file');
        writeFileSync(path, 'precious');
        return path;
      },
      /no socket, and it was left/,
    ],
    ['a directory that is not there', async () => join(directory, 'no/c.sock'), /does not exist/],
    ['a path of 108 bytes', async () => join(directory, 'ü'.repeat(60)), /at most 107/],
  ];
  test.each(refusals)('%s', async (_, path, message) => {
    const refused = ConsoleSocket.open({ path: await path(), input: () => 0 });
    await expect(refused).rejects.toMatchObject({
      code: 'TDCTL_E_ADDRESS',
      op: 'open the console',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  test('what a killed process has left is replaced', async () => {
    const path = join(directory, 'stale.sock');
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', leave], { stdio: 'ignore' })).toThrow();
    expect(existsSync(path)).toBe(true);
    const console = await ConsoleSocket.open({ path, input: () => 0 });
    await console.end();
    expect(existsSync(path)).toBe(false);
  });
});

/** `spec.console.socket`, by real clients. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { ConsoleSocket } from '../../../src/guest/index.ts';
import { passConsole, receiveConsole } from '../../../src/keeper/move/console.ts';
import type { MovePeer } from '../../../src/keeper/move/peer.ts';
import { requireAddon } from '../../native/support.ts';
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

/** What was printed, by what has arrived and by what is said to be missing. */
function arrivedAndMissing(read: string) {
  const missing = [...read.matchAll(/\[tdctl: (\d+) bytes/g)].map(([, bytes]) => Number(bytes));
  const arrived = read.replaceAll(/\r\n\[tdctl: [^\]]*\]\r\n/g, '').length;
  return { gaps: missing.length, bytes: missing.reduce((sum, bytes) => sum + bytes, arrived) };
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
  const { gaps, bytes } = arrivedAndMissing(client.read());
  expect(gaps).toBeGreaterThan(0);
  expect(bytes).toBe(8 + blocks * block.length);
  client.socket.destroy();
  await console.end();
});

describe('a socket that another takes over', () => {
  /** As from one keeper to the next, but that both ends are in this process. */
  async function handOver(console: ConsoleSocket, context: TestContext) {
    requireAddon(context);
    const path = join(directory, 'fds.sock');
    const peer = { ask: () => passConsole(console, path) } as unknown as MovePeer;
    return await receiveConsole(peer, { path, deadlineMs: 10_000 });
  }

  /** @param takes so many bytes of what is typed at once. */
  function another(path: string, takes = Number.POSITIVE_INFINITY) {
    const typed: Buffer[] = [];
    const console = ConsoleSocket.ofAnother({
      path,
      input: (bytes) => {
        const taken = bytes.subarray(0, takes);
        typed.push(Buffer.from(taken));
        return taken.length;
      },
    });
    return { console, typed: () => Buffer.concat(typed).toString() };
  }

  test('keeps its client, who hears what was printed before and since, and types on', async (context) => {
    const first = await open();
    const client = await attach(first.path);
    print(first.console, 'here ');
    await until(() => client.read() === 'here ');
    const next = another(first.path);
    print(next.console, 'there ');
    await next.console.takeOver(() => handOver(first.console, context));
    client.socket.write('typed');
    await until(() => next.typed() === 'typed' && client.read() === 'here there ');
    await first.console.end();
    print(next.console, 'and on');
    await until(() => client.read() === 'here there and on');
    expect(existsSync(first.path)).toBe(true);
    expect(first.typed()).toBe('');
    await next.console.end();
    await client.ended;
    expect(existsSync(first.path)).toBe(false);
    client.socket.destroy();
  });

  test('gets what was typed and not taken, in its order, also of a client that has gone', async (context) => {
    const path = join(directory, 'full.sock');
    const first = await ConsoleSocket.open({ path, input: () => 0 });
    const client = await attach(path);
    const text = Array.from({ length: 40_000 }, (_, at) => `${at},`).join('');
    client.socket.end(text.slice(0, 100_000));
    await once(client.socket, 'finish');
    const next = another(path, 7000);
    await next.console.takeOver(() => handOver(first, context));
    await until(() => next.typed() === text.slice(0, 100_000));
    // It has hung up, and makes room for another.
    const second = await attach(path);
    print(next.console, 'for the second');
    await until(() => second.read() === 'for the second');
    await first.end();
    await next.console.end();
    client.socket.destroy();
    second.socket.destroy();
  });

  test('lets in whoever comes before it is known who is attached, as one alone would', async (context) => {
    const first = await open();
    const client = await attach(first.path);
    print(first.console, '1');
    await until(() => client.read() === '1');
    const next = another(first.path);
    const late = next.console.takeOver(async () => {
      const second = await attach(first.path);
      void second.ended.then(() => second.socket.destroy());
      return await handOver(first.console, context);
    });
    await late;
    print(next.console, '2');
    await until(() => client.read() === '12');
    await next.console.end();
    await first.console.end();
    client.socket.destroy();
  });

  test('goes on with its client where its place cannot be had any more', async (context) => {
    const place = mkdtempSync(join(directory, 'gone-'));
    const path = join(place, 'c.sock');
    const first = await ConsoleSocket.open({ path, input: () => 0 });
    const client = await attach(path);
    rmSync(place, { recursive: true });
    const next = another(path);
    await expect(next.console.takeOver(() => handOver(first, context))).rejects.toMatchObject({
      code: 'TDCTL_E_ADDRESS',
    });
    client.socket.write('typed');
    print(next.console, 'printed');
    await until(() => next.typed() === 'typed' && client.read() === 'printed');
    await first.end();
    await next.console.end();
    client.socket.destroy();
  });

  test('is served, with what waits, where the process that had it has gone', async () => {
    const { path, console } = await open();
    const next = another(path);
    print(next.console, 'since then');
    await next.console.takeOver(async () => undefined);
    const client = await attach(path);
    await until(() => client.read() === 'since then');
    await console.end();
    await next.console.end();
    client.socket.destroy();
  });

  test('gives a client that is slow to read each byte once', async (context) => {
    const first = await open();
    const client = await attach(first.path);
    print(first.console, 'begin,');
    await until(() => client.read() === 'begin,');
    client.socket.pause();
    const numbers = Array.from({ length: 100_000 }, (_, at) => `${at},`);
    for (let at = 0; at < numbers.length; at += 5000) {
      print(first.console, numbers.slice(at, at + 5000).join(''));
      await new Promise((turn) => setImmediate(turn));
    }
    const next = another(first.path);
    await next.console.takeOver(() => handOver(first.console, context));
    print(next.console, 'END');
    client.socket.resume();
    await until(() => client.read().endsWith('END'));
    expect(client.read()).toBe(`begin,${numbers.join('')}END`);
    await first.console.end();
    await next.console.end();
    client.socket.destroy();
  });

  test('gives a client that reads nothing all that it had still to get, as far as that is kept', async (context) => {
    const first = await open();
    const client = await attach(first.path);
    print(first.console, 'begin');
    await until(() => client.read() === 'begin');
    client.socket.pause();
    const block = Buffer.alloc(65_536, 'x');
    const blocks = 40;
    for (let at = 0; at < blocks; at += 1) {
      first.console.print(block, 0);
      await new Promise((turn) => setImmediate(turn));
    }
    const next = another(first.path);
    await next.console.takeOver(() => handOver(first.console, context));
    print(next.console, 'END');
    client.socket.resume();
    await until(() => client.read().endsWith('END'));
    expect(arrivedAndMissing(client.read()).bytes).toBe(8 + blocks * block.length);
    await first.console.end();
    await next.console.end();
    client.socket.destroy();
  });
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

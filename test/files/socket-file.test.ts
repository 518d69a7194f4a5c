/** A socket is where its path says, however long that is, and is nobody else's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { listenOnSocketFile, serveSocketFile, takeOverSocketFile } from '../../src/files/index.ts';
import { longestSocketPathBytes, socketPath } from '../../src/files/socket-path.ts';

/** @param length of the path of the socket in it. */
function socketOf(context: TestContext, length: number): string {
  const base = mkdtempSync(join(tmpdir(), 'tds-'));
  context.onTestFinished(() => rmSync(base, { recursive: true }));
  const name = 'control.sock';
  const missing = length - Buffer.byteLength(join(base, name));
  if (missing < 2) return join(base, name);
  const directory = join(base, 'd'.repeat(Math.min(missing - 1, 200)));
  mkdirSync(directory);
  return join(directory, name);
}

/** Whoever only asks whether it is served goes before it hears this. */
const saying = (text: string) =>
  createServer((socket) => socket.on('error', () => undefined).end(text));

const served = (path: string) => ({ path, op: 'serve a test', anyLength: true });

async function says(path: string): Promise<string> {
  const reached = socketPath(path);
  const socket = connect(reached.path);
  try {
    const [data] = await once(socket, 'data');
    return String(data);
  } finally {
    socket.destroy();
    reached.release();
  }
}

test.for([50, longestSocketPathBytes, longestSocketPathBytes + 1, 220])(
  'a path of %i bytes is bound as it is, reached, and gone with its server',
  async (length, context) => {
    const path = socketOf(context, length);
    const server = saying(path);
    await listenOnSocketFile(server, served(path));
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(await says(path)).toBe(path);
    await expect(listenOnSocketFile(createServer(), served(path))).rejects.toMatchObject({
      ...{ code: 'TDCTL_E_ADDRESS', message: 'another process serves this socket' },
    });
    // The refusal has changed nothing.
    expect(await says(path)).toBe(path);
    server.close();
    await once(server, 'close');
    expect(existsSync(path)).toBe(false);
  },
);

test.for([50, 220])(
  'one that a killed process left is replaced, at %i bytes',
  async (length, context) => {
    const path = socketOf(context, length);
    const script = `
    const fs = require('node:fs');
    const fd = fs.openSync(require('node:path').dirname(${JSON.stringify(path)}), 'r');
    require('node:net').createServer().listen('/proc/self/fd/' + fd + '/control.sock', () => console.log(1));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lstatSync(path).isSocket()).toBe(true);
    const server = saying('new');
    await listenOnSocketFile(server, served(path));
    expect(await says(path)).toBe('new');
    server.close();
  },
);

test('a file in its place is left as it is', async (context) => {
  const path = socketOf(context, 220);
  writeFileSync(path, 'precious');
  await expect(listenOnSocketFile(createServer(), served(path))).rejects.toMatchObject({
    code: 'TDCTL_E_ADDRESS',
  });
  expect(lstatSync(path).isFile()).toBe(true);
});

test('a path that is too long for those who connect is refused where they do not know the way', async (context) => {
  const path = socketOf(context, 220);
  const refused = listenOnSocketFile(createServer(), { path, op: 'serve a test' });
  const length = Buffer.byteLength(path);
  await expect(refused).rejects.toMatchObject({
    message: `the path has ${length} bytes, and the one of a UNIX socket has at most 107`,
  });
});

test('a name that is too long by itself is refused, and not cut off', async (context) => {
  const path = socketOf(context, 50).replace('control.sock', 'x'.repeat(120));
  await expect(listenOnSocketFile(createServer(), served(path))).rejects.toMatchObject({
    code: 'TDCTL_E_ADDRESS',
  });
  expect(existsSync(path)).toBe(false);
});

test.for([50, longestSocketPathBytes])(
  'one that may be taken over is refused where another is served, and goes to who takes it over, at %i bytes',
  async (length, context) => {
    const path = socketOf(context, length);
    const file = { path, op: 'serve a test' };
    const first = saying('first');
    const removeFirst = await serveSocketFile(first, file);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
    await expect(serveSocketFile(createServer(), file)).rejects.toMatchObject({
      ...{ code: 'TDCTL_E_ADDRESS', message: 'another process serves this socket' },
    });
    expect(await says(path)).toBe('first');
    const next = saying('next');
    const removeNext = await takeOverSocketFile(next, file);
    first.close();
    await once(first, 'close');
    removeFirst();
    expect(await says(path)).toBe('next');
    next.close();
    await once(next, 'close');
    removeNext();
    expect(readdirSync(dirname(path))).toEqual([]);
  },
);

test.for([50, longestSocketPathBytes])(
  'of two that serve the same at once, one does, at %i bytes',
  async (length, context) => {
    const path = socketOf(context, length);
    const servers = [saying('one'), saying('other')];
    const both = servers.map((server) => serveSocketFile(server, { path, op: 'serve a test' }));
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes[0]?.status === 'fulfilled' ? 'one' : 'other';
    expect(await says(path)).toBe(winner);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
    for (const server of servers) server.close();
  },
);

test('a socket is taken over from who serves it; where that fails, nothing is left listening', async (context) => {
  const path = socketOf(context, 50);
  const first = saying('first');
  const next = saying('next');
  const removeFirst = await takeOverSocketFile(first, served(path));
  const removeNext = await takeOverSocketFile(next, served(path));
  expect(await says(path)).toBe('next');
  removeFirst();
  first.close();
  expect(await says(path)).toBe('next');
  removeNext();
  next.close();
  expect(existsSync(path)).toBe(false);

  mkdirSync(path);
  const refused = saying('refused');
  await expect(takeOverSocketFile(refused, served(path))).rejects.toMatchObject({
    code: 'TDCTL_E_ADDRESS',
  });
  expect(refused.listening).toBe(false);
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
});

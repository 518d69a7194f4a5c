/** The client of a keeper, against the real server over real sockets, in a real directory of kept TDs. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { listenOnSocketFile } from '../../src/files/index.ts';
import { serveKeeper } from '../../src/keeper/api/server.ts';
import { connectTd } from '../../src/keeper/client.ts';
import type { ApiRange } from '../../src/keeper/identity.ts';
import { Journal } from '../../src/keeper/journal/journal.ts';
import { openStateDirectory } from '../../src/keeper/state-directory.ts';
import { type OwnedTd, ownTd } from '../../src/keeper/td-directory.ts';
import { tdFiles } from '../../src/keeper/td-files.ts';
import { keptForTest } from '../support/kept-surface.ts';
import { identity, status } from './support.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const state = () => openStateDirectory(process.env, { create: true });

async function owned(): Promise<OwnedTd> {
  const td = await ownTd(await state(), 'hello', { create: true });
  if (td === undefined) throw new Error('somebody else owns it');
  ends.push(() => td.remove());
  td.beginLife(identity());
  td.writeStatus(status('hello'));
  return td;
}

async function serve(api?: ApiRange) {
  const td = await owned();
  const { directory } = td.files;
  const kept = await keptForTest({ directory });
  const server = await serveKeeper({ surface: kept, socketPath: td.files.socket, api });
  ends.push(
    () => kept.end(),
    () => server.close(),
  );
  return { kept, server, td };
}

/** Something else that listens in the place of a keeper. */
async function instead(server: Server): Promise<void> {
  const { files } = await owned();
  await listenOnSocketFile(server, { path: files.socket, op: 'test', anyLength: true });
  ends.push(() => server.close());
}

async function connect(options?: Parameters<typeof connectTd>[2]) {
  const client = await connectTd(await state(), 'hello', { deadlineMs: 5000, ...options });
  ends.push(() => client.close());
  return client;
}

describe('a keeper that answers', () => {
  test('says what its TD is, and does what it is asked', async () => {
    const { kept } = await serve();
    const client = await connect();
    expect(client.greeting).toMatchObject({ name: 'hello', pid: process.pid });
    const { sinceMs: _, ...td } = await client.td();
    expect(td).toEqual(JSON.parse(JSON.stringify({ ...(await kept.td()), sinceMs: undefined })));
    expect(await client.act('start')).toMatchObject({ changed: true, td: { state: 'running' } });
    expect(await client.act('start')).toMatchObject({ changed: false });
    expect(await client.metrics()).toMatch(/# EOF\n$/);
  });

  test('refuses in its own words', async () => {
    await serve();
    const client = await connect();
    await expect(client.act('resume')).rejects.toMatchObject({
      code: 'TDCTL_E_CONFLICT',
      exitCode: 4,
      message: 'a TD that is runnable takes no resume',
      hint: 'see `tdctl show`',
    });
    await expect(client.act('stop', { graceMs: -1 })).rejects.toMatchObject({ exitCode: 2 });
  });

  test('has a console that is typed to and read', async () => {
    const { kept } = await serve();
    const client = await connect();
    await client.act('start');
    kept.log.print(Buffer.from('login: '), 0);
    const line = await client.console({ from: 0 });
    ends.push(() => line.destroy());
    expect(String((await once(line, 'data'))[0])).toBe('login: ');
    line.write('root');
    await expect.poll(() => Buffer.concat(kept.typed).toString()).toBe('root');
  });
});

describe('versions', () => {
  const range = (oldest: number, newest: number) => ({ oldest, newest });

  test.each([
    ['the same', range(1, 1), range(1, 1), 1],
    ['a newer keeper that still speaks the old one', range(1, 3), range(1, 1), 1],
    ['an older keeper that this tdctl still speaks to', range(1, 2), range(2, 4), 2],
  ])('%s: the highest that both speak', async (_, api, speaks, version) => {
    await serve(api);
    const client = await connect({ speaks });
    expect(client.version).toBe(version);
    expect((await client.td()).name).toBe('hello');
  });

  test.each([
    [
      'a keeper that is too old',
      range(1, 1),
      range(2, 3),
      /too old for this tdctl, which speaks versions 2 to 3/,
      /stop it with tdctl 0\.1\.0/,
    ],
    [
      'a keeper that is too new',
      range(2, 3),
      range(1, 1),
      /speaks versions 2 to 3 of its API, and this tdctl is too old/,
      /use tdctl 0\.1\.0 or a newer one/,
    ],
  ])('%s is told as such', async (_, api, speaks, message, hint) => {
    await serve(api);
    await expect(connect({ speaks })).rejects.toMatchObject({
      code: 'TDCTL_E_API_VERSION',
      exitCode: 8,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});

describe('a keeper that does not answer', () => {
  const refusal = (code: string, message: RegExp) => ({
    code,
    message: expect.stringMatching(message),
  });

  test('is given up on after the deadline', async () => {
    await instead(createServer(() => undefined));
    await expect(connect({ deadlineMs: 50 })).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_ANSWERING', /does not answer within 50 ms/),
    );
  });

  test('that hangs in the middle of an answer is given up on as well', async () => {
    const half = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"kind"';
    await instead(createServer((socket) => void socket.write(half)));
    await expect(connect({ deadlineMs: 50 })).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_ANSWERING', /does not answer within 50 ms/),
    );
  });

  test('that hangs up is told as such', async () => {
    await instead(createServer((socket) => void socket.destroy()));
    await expect(connect()).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_ANSWERING', /has closed the connection/),
    );
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['another server', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue'],
    ['a server of other documents', 'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"kind": "Pod"}'],
    ['a server that refuses', 'HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}'],
  ])('because it is none but %s', async (_, answer) => {
    await instead(createServer((socket) => void socket.end(answer)));
    await expect(connect()).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_ANSWERING', /does not speak as a keeper does/),
    );
  });

  test('because there is no such TD', async () => {
    await expect(connect()).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_FOUND', /there is no TD hello here/),
    );
  });

  test('because it only begins or ends: it lives, and serves no socket', async () => {
    await owned();
    await expect(connect()).rejects.toMatchObject(
      refusal('TDCTL_E_NOT_ANSWERING', /is only beginning, or ending/),
    );
  });

  test('because it is over', async () => {
    const td = await owned();
    td.writeStatus(status('hello', { state: 'destroyed', holdsKeySlot: false }));
    await expect(connect()).rejects.toMatchObject(
      refusal('TDCTL_E_CONFLICT', /is destroyed, and no keeper is there/),
    );
  });
});

describe('events', () => {
  test('are followed to the end of the TD', async () => {
    const { kept } = await serve();
    const client = await connect();
    const seen: string[] = [];
    for await (const record of client.events()) {
      seen.push(record.kind);
      if (record.kind === 'event' && record.told.event === 'td.ended') {
        kept.note({ kind: 'over', outcome: 'destroyed', leftoverCount: 0 });
      }
      if (record.kind === 'event' && record.told.state === 'runnable' && !seen.includes('asked')) {
        await client.act('kill');
      }
    }
    expect(seen[0]).toBe('keeper');
    expect(seen.at(-1)).toBe('over');
  });

  test('of a keeper that has died are read to the end from its journal', async () => {
    const { kept, server, td } = await serve();
    const client = await connect();
    const journal = Journal.begin(td, 0);
    ends.push(() => journal.close());
    const seqs: number[] = [];
    for await (const record of client.events()) {
      seqs.push(record.seq);
      if (record.seq !== 3) continue;
      // What it wrote down and could tell nobody any more.
      while (journal.lastSeq < (kept.feed.since(0).at(-1)?.id ?? 0)) {
        journal.append({ kind: 'asked', verb: 'stop', peer: null }, { flush: false });
      }
      journal.append({ kind: 'over', outcome: 'failed', leftoverCount: 0 }, { flush: true });
      await server.close();
      td.writeStatus(status('hello', { state: 'failed' }));
    }
    expect(seqs).toEqual(Array.from({ length: journal.lastSeq }, (_, at) => at + 1));
  });

  test('go on where a slow reader was cut off', async () => {
    const td = await owned();
    const kept = await keptForTest({ directory: td.files.directory });
    const bounds = { events: { mostBacklogBytes: 4096 } };
    const server = await serveKeeper({ surface: kept, socketPath: td.files.socket, bounds });
    ends.push(
      () => kept.end(),
      () => server.close(),
    );
    const client = await connect();
    const seqs: number[] = [];
    for await (const record of client.events()) {
      seqs.push(record.seq);
      // Faster than it is read, until it is cut off; its history has all of it.
      for (let each = 0; seqs.length === 1 && each < 900; each++) {
        kept.note({ kind: 'asked', verb: 'x'.repeat(2000), peer: null });
      }
      if (seqs.length === 900) kept.note({ kind: 'over', outcome: 'destroyed', leftoverCount: 0 });
    }
    expect(seqs).toEqual(seqs.map((_, at) => at + 1));
    expect(seqs.length).toBeGreaterThan(900);
  });

  test('end when whoever follows leaves', async () => {
    await serve();
    const client = await connect();
    const leaving = new AbortController();
    let seen = 0;
    for await (const _ of client.events({ signal: leaving.signal })) {
      seen += 1;
      leaving.abort();
    }
    expect(seen).toBe(1);
  });
});

describe('a long path', () => {
  test('is gone through the directory', async () => {
    const before = process.env.TDCTL_STATE_DIR;
    const long = `${before}/${'d'.repeat(100)}`;
    mkdirSync(long, { mode: 0o700 });
    process.env.TDCTL_STATE_DIR = long;
    try {
      await serve();
      const { socket } = tdFiles(await state(), 'hello');
      expect(Buffer.byteLength(socket)).toBeGreaterThan(108);
      expect(dirname(socket)).toContain(long);
      const client = await connect();
      expect((await client.td()).name).toBe('hello');
      expect((await client.console()).destroy().destroyed).toBe(true);
    } finally {
      for (const end of ends.splice(0).reverse()) await end();
      process.env.TDCTL_STATE_DIR = before;
    }
  });
});

/** A keeper's API over real sockets, with a real run on a simulated host behind it. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterEach, describe, expect, test } from 'vitest';
import { type KeeperServerOptions, serveKeeper } from '../../../src/keeper/api/server.ts';
import { ask, sendRaw } from '../../support/ask-socket.ts';
import { keptForTest } from '../../support/kept-surface.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

type Given = Parameters<typeof keptForTest>[0] &
  Omit<KeeperServerOptions, 'surface' | 'socketPath'>;

async function serve({ api, bounds, peers, ...options }: Given = {}) {
  const kept = await keptForTest(options);
  const { socketPath } = kept;
  const server = await serveKeeper({ surface: kept, socketPath, api, bounds, peers });
  ends.push(
    () => server.close(),
    () => kept.end(),
  );
  return { kept, socketPath, server };
}

/** Of a request that begins well. */
const prefixes = [
  '',
  'GET /v1/td HTTP/1.1\r\n',
  'POST /v1/td/stop HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  'GET /v1/console HTTP/1.1\r\nconnection: upgrade\r\nupgrade: tdctl-console\r\n\r\n',
] as const;

const json = { 'content-type': 'application/json' };

describe('what a keeper answers', () => {
  test('who it is, what it speaks, and what decides who may ask', async () => {
    const { socketPath } = await serve();
    const { status, text } = await ask(socketPath, '/v1');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      kind: 'tdctl.Keeper',
      version: 1,
      name: 'hello',
      pid: process.pid,
      api: { oldest: 1, newest: 1 },
      guard: 'peer-credentials',
    });
  });

  test('the TD, and what the verbs make of it', async () => {
    const { socketPath } = await serve();
    const state = async () => JSON.parse((await ask(socketPath, '/v1/td')).text).state;
    const post = async (verb: string) => {
      const { status, text } = await ask(socketPath, `/v1/td/${verb}`, { method: 'POST' });
      const { changed, td, error } = JSON.parse(text);
      return { status, changed, state: td?.state, code: error?.code };
    };
    expect(await state()).toBe('runnable');
    expect(await post('resume')).toMatchObject({ status: 409, code: 'TDCTL_E_CONFLICT' });
    expect(await post('start')).toMatchObject({ status: 200, changed: true, state: 'running' });
    expect(await post('start')).toMatchObject({ status: 200, changed: false });
    expect(await post('pause')).toMatchObject({ changed: true, state: 'paused' });
    expect(await post('resume')).toMatchObject({ changed: true, state: 'running' });
    expect(await post('stop')).toMatchObject({ status: 202, changed: true });
  });

  test('a verb is written down with who has asked', async () => {
    const { kept, socketPath } = await serve();
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    const asked = kept.feed.since(0).map(({ data }) => JSON.parse(data));
    expect(asked.filter(({ kind }) => kind === 'asked')).toMatchObject([
      { verb: 'start', peer: { pid: process.pid, uid: process.getuid?.() } },
    ]);
  });

  test('its own description, which the package has', async () => {
    const { socketPath } = await serve();
    const { headers, text } = await ask(socketPath, '/v1/openapi.json');
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(text).openapi).toBe('3.1.0');
  });

  test('the socket is its owner’s alone, and gone with the server', async () => {
    const { socketPath, server } = await serve();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await server.close();
    expect(statSync(socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('also where the path is longer than the address of a socket', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'tk-'));
    ends.push(async () => rmSync(scratch, { recursive: true }));
    const directory = join(scratch, 'd'.repeat(120));
    const { kept, server } = await serve({ directory });
    expect(Buffer.byteLength(kept.socketPath)).toBeGreaterThan(108);
    expect(statSync(kept.socketPath).isSocket()).toBe(true);
    await server.close();
    expect(statSync(kept.socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('events', () => {
  const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

  test('have the seq of the journal, and are resumed after any of them', async () => {
    const { socketPath } = await serve({ firstSeq: 400 });
    const whole = await ask(socketPath, '/v1/events', { until: '"state":"runnable"' });
    expect(whole.headers['content-type']).toBe('text/event-stream');
    expect(ids(whole.text)[0]).toBe(400);
    const firstOf = async (path: string, headers = {}) =>
      ids((await ask(socketPath, path, { headers, until: '"state":"runnable"' })).text)[0];
    expect(await firstOf('/v1/events?since=405')).toBe(406);
    expect(await firstOf('/v1/events', { 'last-event-id': '407' })).toBe(408);
    expect(await firstOf('/v1/events?since=999999')).toBe(400);
  });

  test('are told live to several readers, and end with the server', async () => {
    const { socketPath, server } = await serve();
    const readers = [1, 2, 3].map(() => ask(socketPath, '/v1/events'));
    await ask(socketPath, '/v1/events', { until: 'runnable' });
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    await server.close();
    for (const { text } of await Promise.all(readers)) expect(text).toContain('"verb":"start"');
  });

  test('are refused in words to one reader too many, while requests still get through', async () => {
    const { socketPath, server } = await serve({ bounds: { mostStreams: 2 } });
    const readers = [1, 2].map(() => ask(socketPath, '/v1/events'));
    await expect
      .poll(async () => (await ask(socketPath, '/v1/events', { until: 'retry' })).status)
      .toBe(503);
    expect((await ask(socketPath, '/v1/td')).status).toBe(200);
    await server.close();
    await Promise.all(readers);
  });

  test('a reader that never reads is cut off, and comes back to what it missed', async () => {
    const events = { mostBacklogBytes: 4096, heartbeatMs: 20 };
    const { kept, socketPath } = await serve({ bounds: { events } });
    const socket = connect(socketPath);
    socket.write('GET /v1/events HTTP/1.1\r\n\r\n');
    socket.pause();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await expect.poll(() => kept.feed.readers).toBe(1);
    // More than the kernel keeps for a reader.
    const text = 'x'.repeat(4000);
    await expect
      .poll(() => {
        for (let each = 0; each < 50; each++) {
          kept.note({ kind: 'asked', verb: text, peer: null });
        }
        return kept.feed.readers;
      })
      .toBe(0);
    socket.resume();
    await closed;
    const last = kept.feed.since(0).at(-1)?.id ?? 0;
    const again = await ask(socketPath, `/v1/events?since=${last - 1}`, { until: text });
    expect(ids(again.text)).toEqual([last]);
  });
});

describe('what is no request', () => {
  const status = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
  const document = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n')));

  test.each([
    ['garbage', 'hello there\r\n\r\n', 400],
    ['bytes of another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 400],
    ['an unknown method', 'BREW /v1 HTTP/1.1\r\n\r\n', 400],
    ['headers without end', `GET /v1 HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a tunnel', 'CONNECT tdctl:80 HTTP/1.1\r\n\r\n', 404],
    ['another protocol', 'GET /v1/td HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n', 400],
    ['half a request', 'GET /v1 HT', 408],
    ['half a body', 'POST /v1/td/stop HTTP/1.1\r\ncontent-length: 10\r\n\r\n{', 408],
  ])('%s is told what it is, and the keeper lives on', async (_, text, expected) => {
    const { socketPath } = await serve({ bounds: { headersMs: 100, requestMs: 200 } });
    const answer = await sendRaw(socketPath, text);
    expect(status(answer)).toBe(expected);
    expect(document(answer)).toMatchObject({ kind: 'tdctl.Error', error: { exitCode: 2 } });
    expect((await ask(socketPath, '/v1')).status).toBe(200);
  });

  test.each([
    ['a path that is not there', 'GET', '/v1/tds', 404, 'did you mean /v1/td?'],
    ['no version', 'GET', '/td', 404, 'GET /v1/openapi.json has what there is'],
    ['a method that is not for it', 'DELETE', '/v1/td', 405, 'ask with GET'],
    ['a verb without its method', 'GET', '/v1/td/stop', 405, 'ask with POST'],
    ['an odd parameter', 'GET', '/v1/events?sinec=1', 400, 'did you mean since?'],
    ['an odd value', 'GET', '/v1/console?from=-1', 400, 'The byte of the log to begin with.'],
    ['no path at all', 'GET', '//', 404, 'GET /v1/openapi.json has what there is'],
  ])('%s is refused with what to do', async (_, method, path, expected, hint) => {
    const { socketPath } = await serve();
    const { status: got, headers, text } = await ask(socketPath, path, { method });
    expect(got).toBe(expected);
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(text).error).toMatchObject({ code: 'TDCTL_E_USAGE', hint });
  });

  test.each([
    ['what is not JSON', json, '{', 400],
    ['no object', json, '[1]', 400],
    ['an unknown field', json, '{"grace": 1}', 400],
    ['a wrong value', json, '{"graceMs": "30s"}', 400],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'graceMs=1', 415],
    ['too much', json, ' '.repeat(70_000), 413],
    ['far too much', json, ' '.repeat(8_000_000), 413],
  ])('%s as a body is refused, and nothing is stopped', async (_, headers, body, expected) => {
    const { kept, socketPath } = await serve();
    const answer = await ask(socketPath, '/v1/td/stop', { method: 'POST', headers, body });
    expect(answer.status).toBe(expected);
    expect(JSON.parse(answer.text).error.code).toBe('TDCTL_E_USAGE');
    expect((await kept.td()).state).toBe('runnable');
  });

  test('a body that is chunked without end is refused as well', async () => {
    const { socketPath } = await serve();
    const headers = { ...json, 'transfer-encoding': 'chunked' };
    const body = ' '.repeat(200_000);
    const answer = await ask(socketPath, '/v1/td/stop', { method: 'POST', headers, body });
    expect(answer.status).toBe(413);
  });

  test('one who connects and says nothing is let go', async () => {
    const { socketPath } = await serve({ bounds: { headersMs: 100, requestMs: 100 } });
    expect(status(await sendRaw(socketPath, ''))).toBe(408);
  });

  test('one who asks nothing more is let go, one whose answer takes its time is not', async () => {
    const { socketPath } = await serve({ bounds: { idleMs: 50 } });
    const reading = ask(socketPath, '/v1/events', { until: '"verb":"start"' });
    const answer = await sendRaw(socketPath, 'GET /v1 HTTP/1.1\r\n\r\n');
    expect(status(answer)).toBe(200);
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    expect((await reading).status).toBe(200);
  });

  test('whatever bytes come, the keeper lives on', async () => {
    const { socketPath } = await serve({ bounds: { headersMs: 50, requestMs: 50, idleMs: 100 } });
    const bytes = fc.uint8Array({ maxLength: 300 });
    const livesOn = fc.asyncProperty(bytes, fc.constantFrom(...prefixes), async (rest, prefix) => {
      const socket = connect(socketPath).on('error', () => undefined);
      socket.end(Buffer.concat([Buffer.from(prefix), rest]));
      // A console stays until its reader leaves.
      socket.on('data', (answer) => {
        if (String(answer).includes(' 101 ')) socket.destroy();
      });
      await new Promise((resolve) => socket.once('close', resolve));
      expect((await ask(socketPath, '/v1')).status).toBe(200);
    });
    await fc.assert(livesOn, { numRuns: 60 });
  });

  test('a version that is not spoken is told as such, whatever it asks', async () => {
    const { socketPath } = await serve({ api: { oldest: 2, newest: 3 } });
    const { status: got, text } = await ask(socketPath, '/v1/td');
    expect(got).toBe(404);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'TDCTL_E_API_VERSION',
      message: 'version 1 of the API was asked for, and this keeper speaks versions 2 to 3',
    });
    expect((await ask(socketPath, '/v2/td')).status).toBe(200);
    expect((await ask(socketPath, '/v1')).status).toBe(200);
  });

  test('strangers who come in heaps do not keep the owner out', async () => {
    const { socketPath } = await serve();
    const idle = Array.from({ length: 300 }, () =>
      connect(socketPath).on('error', () => undefined),
    );
    expect((await ask(socketPath, '/v1')).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });
});

/** The server, asked over real sockets. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Pacer, startWatchServer, type WatchServer, watchFeed } from '../../src/watch/index.ts';
import { askUrl as ask } from '../support/ask-socket.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-watch-'));
const open: WatchServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
  rmSync(scratch, { recursive: true, force: true });
});

const end = { kind: 'end', exitCode: 0, text: 'over' } as const;

async function serve(address: { port: number } | { socket: string } = { port: 0 }, held = true) {
  const feed = watchFeed();
  const pacer = held ? new Pacer({ paused: false, stepsPerSecond: 2 }) : undefined;
  const page = (nonce: string) => `<p>${nonce}</p>`;
  const server = await startWatchServer({ address, feed, pacer, page });
  open.push(server);
  return { server, feed, pacer };
}

const json = { 'content-type': 'application/json' };

describe('who may look', () => {
  test('the page comes with a policy that names its nonce, and is never stored', async () => {
    const { server } = await serve();
    const { status, headers, text } = await ask(server.url ?? '');
    expect(status).toBe(200);
    const nonce = /<p>(.+)<\/p>/.exec(text)?.[1];
    expect(headers['content-security-policy']).toContain(`script-src 'nonce-${nonce}'`);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('no-referrer');
    const again = await ask(server.url ?? '');
    expect(again.text).not.toBe(text);
  });

  test('it listens on loopback alone', async () => {
    const { server } = await serve();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/$/);
  });

  test.each([
    ['without the token', '', {}, 404],
    ['with a wrong token', 'AAAAAAAAAAAAAAAAAAAAAA/', {}, 404],
    ['by a name that is not of loopback', undefined, { host: 'evil.example' }, 421],
    ['by a name that only begins like one', undefined, { host: '127.0.0.1.evil.example' }, 421],
    ['for another page', undefined, { origin: 'http://evil.example' }, 403],
    ['for a page of another port', undefined, { origin: 'http://127.0.0.1:1' }, 403],
    ['for a sandboxed page', undefined, { origin: 'null' }, 403],
  ])('not %s', async (_, path, headers, status) => {
    const { server } = await serve();
    const url = path === undefined ? server.url : new URL(`/${path}`, server.url).href;
    expect((await ask(`${url}events`, { headers, until: 'retry' })).status).toBe(status);
  });

  test('a tunnel may change the port', async () => {
    const { server } = await serve();
    const answer = await ask(server.url ?? '', { headers: { host: 'localhost:8080' } });
    expect(answer.status).toBe(200);
  });
});

describe('the stream', () => {
  test('late viewers get everything, returning ones what they missed, all the same', async () => {
    const { server, feed } = await serve();
    for (let at = 0; at < 3; at++) feed.publish({ ...end, text: `${at}` });
    const late = await ask(`${server.url}events`, { until: 'event: pace' });
    expect(late.headers['content-type']).toBe('text/event-stream');
    expect(late.text.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2', 'id: 3']);
    const back = await ask(`${server.url}events`, {
      headers: { 'last-event-id': '2' },
      until: 'event: pace',
    });
    expect(back.text.match(/^id: \d+$/gm)).toEqual(['id: 3']);
    const odd = await ask(`${server.url}events`, {
      headers: { 'last-event-id': 'x' },
      until: 'event: pace',
    });
    expect(odd.text.match(/^id: \d+$/gm)).toHaveLength(3);
  });

  test('several viewers hear the same as it happens', async () => {
    const { server, feed } = await serve();
    const viewers = Array.from({ length: 5 }, () =>
      ask(`${server.url}events`, { until: '"the end"' }),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    feed.publish({ ...end, text: 'the end' });
    for (const viewer of await Promise.all(viewers)) expect(viewer.text).toContain('id: 1\n');
  });

  test('closing ends every stream and lets the port go', async () => {
    const { server } = await serve();
    const viewer = ask(`${server.url}events`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    open.splice(0);
    await server.close();
    expect((await viewer).text).toContain('retry');
    await expect(ask(server.url ?? '')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('controls', () => {
  test('hold a simulated run', async () => {
    const { server, pacer } = await serve();
    const body = '{"do":"pause"}';
    const answer = await ask(`${server.url}control`, { method: 'POST', headers: json, body });
    expect(answer.status).toBe(204);
    expect(pacer?.pace.paused).toBe(true);
  });

  test.each([
    ['a form of another page', { 'content-type': 'text/plain' }, '{"do":"pause"}', 415],
    ['another site', { ...json, 'sec-fetch-site': 'cross-site' }, '{"do":"pause"}', 403],
    ['nonsense', json, '{"do":"explode"}', 400],
    ['too much', json, 'x'.repeat(2000), 413],
  ])('are refused to %s', async (_, headers, body, status) => {
    const { server, pacer } = await serve();
    const answer = await ask(`${server.url}control`, { method: 'POST', headers, body });
    expect(answer.status).toBe(status);
    expect(pacer?.pace.paused).toBe(false);
  });

  test('are refused where the run is on a real host', async () => {
    const { server } = await serve({ port: 0 }, false);
    const body = '{"do":"pause"}';
    const answer = await ask(`${server.url}control`, { method: 'POST', headers: json, body });
    expect(answer.status).toBe(409);
  });
});

describe('the address', () => {
  test('a port in use is said, with what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'TDCTL_E_ADDRESS',
      place: `127.0.0.1:${port}`,
      message: 'it is in use',
      exitCode: 4,
    });
    other.close();
  });

  const socket = () => join(mkdtempSync(join(tmpdir(), 'tdctl-socket-')), 'watch.sock');

  test('a socket is its owner’s alone, and gone afterwards', async () => {
    const path = socket();
    const { server } = await serve({ socket: path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    open.splice(0);
    await server.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('a socket that a killed process left is taken over, one in use is not', async () => {
    const path = socket();
    const { server } = await serve({ socket: path });
    await expect(serve({ socket: path })).rejects.toMatchObject({
      message: 'another process serves this socket',
    });
    expect(server.url).toBeUndefined();
  });

  test('a file that is no socket is left alone', async () => {
    const path = socket();
    writeFileSync(path, 'mine');
    await expect(serve({ socket: path })).rejects.toMatchObject({ code: 'TDCTL_E_ADDRESS' });
    expect(statSync(path).size).toBe(4);
  });

  test('a directory that is not there is said', async () => {
    await expect(serve({ socket: '/no/such/watch.sock' })).rejects.toMatchObject({
      message: 'its directory does not exist',
    });
  });

  test('a stale socket file is removed', async () => {
    const path = socket();
    // A server whose file outlives it: the child is killed before it can remove it.
    const stale = createNetServer();
    await new Promise<void>((resolve) => stale.listen(`${path}.made`, resolve));
    const { linkSync } = await import('node:fs');
    linkSync(`${path}.made`, path);
    await new Promise((resolve) => stale.close(resolve));
    const { server } = await serve({ socket: path });
    expect(server.token).toHaveLength(22);
  });
});

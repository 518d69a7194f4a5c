/** The console of a kept TD, read and typed to over the socket of its keeper. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type KeeperServerOptions, serveKeeper } from '../../../src/keeper/api/server.ts';
import { ask, sendRaw } from '../../support/ask-socket.ts';
import { keptForTest } from '../../support/kept-surface.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function serve(bounds?: KeeperServerOptions['bounds']) {
  const kept = await keptForTest();
  const { socketPath } = kept;
  const server = await serveKeeper({ surface: kept, socketPath, bounds });
  ends.push(
    () => server.close(),
    () => kept.end(),
  );
  const print = (text: string) => kept.log.print(Buffer.from(text), 0);
  return { kept, socketPath, server, print };
}

async function attach(socketPath: string, path = '/v1/console') {
  const headers = { connection: 'upgrade', upgrade: 'tdctl-console' };
  const asked = request({ socketPath, path, headers, agent: false });
  asked.end();
  const [, socket, head] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket, Buffer];
  let text = String(head);
  socket.on('data', (bytes) => {
    text += String(bytes);
  });
  const closed = once(socket, 'close');
  ends.unshift(async () => void socket.destroy());
  return { socket, closed, text: () => text };
}

describe('the log', () => {
  test('is empty before anything is printed, and is read from any byte on', async () => {
    const { socketPath, print } = await serve();
    expect(await ask(socketPath, '/v1/console')).toMatchObject({ status: 200, text: '' });
    print('hello, world\r\n');
    const whole = await ask(socketPath, '/v1/console');
    expect(whole.text).toBe('hello, world\r\n');
    expect(whole.headers['tdctl-console-end']).toBe('14');
    expect((await ask(socketPath, '/v1/console?from=7')).text).toBe('world\r\n');
    expect((await ask(socketPath, '/v1/console?from=14')).text).toBe('');
  });

  test('that was begun anew is given whole to whoever has read further', async () => {
    const { socketPath, print } = await serve();
    print('new');
    expect((await ask(socketPath, '/v1/console?from=4000')).text).toBe('new');
  });
});

describe('a connection that is upgraded', () => {
  test('carries what is printed from now on to several readers, and what they type', async () => {
    const { kept, socketPath, print } = await serve();
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    print('before');
    const [one, other] = await Promise.all([attach(socketPath), attach(socketPath)]);
    print('now');
    await expect.poll(() => [one.text(), other.text()]).toEqual(['now', 'now']);
    one.socket.write('abc');
    await expect.poll(() => Buffer.concat(kept.typed).toString()).toBe('abc');
  });

  test('with the log before it misses nothing and repeats nothing', async () => {
    const { socketPath, print } = await serve();
    let printed = '';
    const more = (lines: number) => {
      for (let each = 0; each < lines; each++) {
        const line = `line ${printed.length} ${'x'.repeat(500)}\r\n`;
        printed += line;
        print(line);
      }
    };
    more(500);
    const attaching = attach(socketPath, '/v1/console?from=10');
    for (let each = 0; each < 20; each++) {
      more(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { text } = await attaching;
    await expect.poll(() => text().length).toBe(printed.length - 10);
    expect(text()).toBe(printed.slice(10));
  });

  test('what is typed waits until a guest runs that takes it', async () => {
    const { kept, socketPath } = await serve();
    const { socket } = await attach(socketPath);
    socket.write('early');
    await expect.poll(() => kept.typed.length).toBeGreaterThan(1);
    await ask(socketPath, '/v1/td/start', { method: 'POST' });
    await expect.poll(() => kept.run.input(new Uint8Array(3))).toBe(3);
    const offered = kept.typed.at(-1)?.toString();
    expect(offered).toBe('early');
  });

  test('one that reads too slowly is cut off and told where to go on, the others are not', async () => {
    const console = { mostBacklogBytes: 4096, farewellMs: 10_000 };
    const { kept, socketPath, print } = await serve({ console });
    const quick = await attach(socketPath);
    const slow = await attach(socketPath);
    slow.socket.pause();
    let printed = 0;
    while (kept.consoleReaders() > 1) {
      print('y'.repeat(2000));
      printed += 2000;
      await expect.poll(() => quick.text().length).toBe(printed);
    }
    const end = kept.log.sizeBytes;
    slow.socket.resume();
    await slow.closed;
    expect(slow.text()).toMatch(
      /^y+\r\ntdctl: this reader was too slow and has been cut off; go on with \?from=\d+\r\n$/,
    );
    expect(slow.text()).toContain(`?from=${end}\r\n`);
    print('on');
    await expect.poll(() => quick.text().endsWith('on')).toBe(true);
  });

  test('ends with the server, with all that was printed', async () => {
    const { socketPath, server, print } = await serve();
    const { text, closed } = await attach(socketPath);
    print('last words');
    await server.close();
    await closed;
    expect(text()).toBe('last words');
  });

  test('is counted among the readers, of whom there may be so many', async () => {
    const { socketPath } = await serve({ mostStreams: 1 });
    await attach(socketPath);
    const upgrade = 'connection: upgrade\r\nupgrade: tdctl-console\r\n';
    const answer = await sendRaw(socketPath, `GET /v1/console HTTP/1.1\r\n${upgrade}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*TDCTL_E_NOT_ANSWERING/s);
  });
});

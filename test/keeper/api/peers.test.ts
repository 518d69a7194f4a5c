/** Who may ask a keeper. */
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { peersOf } from '../../../src/keeper/api/peers.ts';
import { serveKeeper } from '../../../src/keeper/api/server.ts';
import { ask } from '../../support/ask-socket.ts';
import { keptForTest } from '../../support/kept-surface.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

type Credentials = Parameters<typeof peersOf>[1];

async function serve(credentials?: (...args: never[]) => unknown) {
  const kept = await keptForTest();
  const { socketPath } = kept;
  const directory = dirname(socketPath);
  const peers = credentials && peersOf(directory, credentials as Credentials);
  const server = await serveKeeper({ surface: kept, socketPath, peers });
  ends.push(
    () => server.close(),
    () => kept.end(),
  );
  return { kept, socketPath, directory };
}

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

describe('who may ask', () => {
  test.each([
    ['root', 0, 200],
    ['the owner of the directory', process.getuid?.() ?? 0, 200],
    ['anybody else', nobody, 403],
  ])('%s: %i', async (_, uid, status) => {
    const { socketPath } = await serve(() => ({ pid: 7, uid, gid: 7 }));
    expect((await ask(socketPath, '/v1/td')).status).toBe(status);
  });

  test('one who is turned away is told so, does nothing, and is written down once', async () => {
    const { kept, socketPath } = await serve(() => ({ pid: 7, uid: nobody, gid: 7 }));
    for (const verb of ['stop', 'kill', 'start']) {
      const { status, text } = await ask(socketPath, `/v1/td/${verb}`, { method: 'POST' });
      expect(status).toBe(403);
      expect(JSON.parse(text).error.code).toBe('TDCTL_E_NOT_OWNER');
    }
    expect((await kept.td()).state).toBe('runnable');
    expect(kept.turnedAway).toEqual([{ pid: 7, uid: nobody }]);
    const records = kept.feed.since(0).map(({ data }) => JSON.parse(data));
    expect(records.filter(({ kind }) => kind === 'refused')).toHaveLength(1);
  });

  test('nor may they have the console', async () => {
    const { socketPath } = await serve(() => ({ pid: 7, uid: nobody, gid: 7 }));
    const headers = { connection: 'upgrade', upgrade: 'tdctl-console' };
    expect((await ask(socketPath, '/v1/console', { headers })).status).toBe(403);
  });

  test('whoever cannot be told is nobody who may', async () => {
    const { socketPath } = await serve(() => {
      throw new Error('ENOTCONN');
    });
    expect((await ask(socketPath, '/v1/td')).status).toBe(403);
  });

  test('without an addon the directory guards, and the keeper says so', async () => {
    const kept = await keptForTest();
    const { socketPath } = kept;
    const peers = { guard: 'directory', of: () => undefined, mayAsk: () => true } as const;
    const server = await serveKeeper({ surface: kept, socketPath, peers });
    ends.push(
      () => server.close(),
      () => kept.end(),
    );
    expect(JSON.parse((await ask(socketPath, '/v1')).text).guard).toBe('directory');
  });

  test.runIf(isRoot)('another user who gets at the socket all the same is known', async () => {
    const { kept, socketPath, directory } = await serve();
    chmodSync(directory, 0o755);
    chmodSync(socketPath, 0o666);
    const options = { uid: nobody, gid: nobody };
    const { stdout } = await promisify(execFile)(
      'curl',
      ['-s', '-w', '%{http_code}', '--unix-socket', socketPath, 'http://td/v1'],
      options,
    );
    expect(stdout).toMatch(/TDCTL_E_NOT_OWNER.*\n403$/s);
    expect(kept.turnedAway).toMatchObject([{ uid: nobody }]);
  });
});

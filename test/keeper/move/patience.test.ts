/** How long one keeper waits for the other: what a machine with too much to do makes late is no standstill. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { patience } from '../../../src/keeper/move/patience.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-patience-'));
afterAll(() => rmSync(scratch, { recursive: true }));

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

/** The stream of a feed over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Feed, openEventStream, type StreamBounds } from '../../src/feed/index.ts';

async function serve(bounds: StreamBounds, work: (feed: Feed<string>, path: string) => unknown) {
  const scratch = mkdtempSync(join(tmpdir(), 'tf-'));
  const path = join(scratch, 's');
  const feed = new Feed<string>();
  const server = createServer((request, response) => {
    openEventStream({ request, response }, feed, bounds);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    await work(feed, path);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(scratch, { recursive: true });
  }
}

/** Asks, and takes nothing of what comes. */
function neverReading(path: string) {
  const socket = connect(path);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  return socket;
}

test('one who takes nothing for a whole beat is cut off, though little waits', async () => {
  // More than the kernel keeps for a reader, and far less than the bound.
  const bounds = { mostBacklogBytes: 1024 ** 3, heartbeatMs: 30 };
  await serve(bounds, async (feed, path) => {
    const socket = neverReading(path);
    await expect.poll(() => feed.readers).toBe(1);
    for (let each = 0; each < 100; each++) feed.publish('x'.repeat(10_000));
    await expect.poll(() => feed.readers).toBe(0);
    socket.destroy();
  });
});

test('one who reads hears that the stream is there, and stays', async () => {
  await serve({ heartbeatMs: 10 }, async (feed, path) => {
    let text = '';
    const socket = connect(path);
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => text.split(': still here').length).toBeGreaterThan(5);
    expect(feed.readers).toBe(1);
    socket.destroy();
    await expect.poll(() => feed.readers).toBe(0);
  });
});

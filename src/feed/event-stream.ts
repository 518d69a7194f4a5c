/** The stream of one reader of a feed, as Server-Sent Events (HTML standard, section 9.2). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Feed, FeedEntry } from './feed.ts';

export interface StreamBounds {
  /** A reader that reads slower than this backlog is cut off; it comes back and catches up. */
  readonly mostBacklogBytes?: number | undefined;
  /** So often a stream says that it is there: below the idle limits of proxies and tunnels. */
  readonly heartbeatMs?: number | undefined;
}

export interface EventStream {
  /** What is no part of the history, because only the newest counts. */
  tell(event: string, data: unknown): void;
  /** The promise resolves when the reader has everything, or is gone. */
  end(): Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** @param since the id of the last entry that the reader has. */
export function openEventStream<Message>(
  { request, response }: Exchange,
  feed: Feed<Message>,
  {
    since = lastSeen(request),
    mostBacklogBytes = 8 * 1024 * 1024,
    heartbeatMs = 15_000,
  }: StreamBounds & { readonly since?: number | undefined } = {},
): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // Otherwise the connection would be kept for a next request, and closing the server would wait for it.
    connection: 'close',
  });
  const send = (text: string) => {
    response.write(text);
    if (response.writableLength > mostBacklogBytes) response.destroy();
  };
  // The history goes out at once, however long: it is as large as the feed allows.
  response.write(`retry: 500\n\n${feed.since(since).map(entryText).join('')}`);
  const stopFeed = feed.subscribe((entry) => send(entryText(entry)));
  let backlogBefore = 0;
  const heartbeat = setInterval(() => {
    const backlog = response.writableLength;
    // Nothing was taken for a whole beat: nobody reads, though less may wait than is allowed.
    if (backlog > 0 && backlog >= backlogBefore && backlogBefore > 0) response.destroy();
    else send(': still here\n\n');
    backlogBefore = response.writableLength;
  }, heartbeatMs);
  heartbeat.unref();
  response.once('close', () => {
    stopFeed();
    clearInterval(heartbeat);
  });
  return {
    tell: (event, data) => send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    end: () =>
      new Promise((resolve) => {
        response.once('close', resolve);
        response.end();
      }),
  };
}

/** The id of the last entry that a reader who comes back has seen; 0 of one that comes for the first time. */
export function lastSeen({ headers }: IncomingMessage): number {
  const id = headers['last-event-id'];
  return typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : 0;
}

function entryText({ id, data }: FeedEntry): string {
  return `id: ${id}\ndata: ${data}\n\n`;
}

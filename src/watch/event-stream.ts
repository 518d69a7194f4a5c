/** The stream of one viewer, as Server-Sent Events (HTML standard, section 9.2). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Feed, FeedEntry } from './feed.ts';
import type { Pace } from './messages.ts';

/** A viewer that reads slower than this backlog is cut off; it comes back and catches up. */
const mostBacklogBytes = 8 * 1024 * 1024;
/** This is below the idle limits of proxies and tunnels. */
const heartbeatMs = 15_000;

export interface EventStream {
  tellPace(pace: Pace): void;
  /** The promise resolves when the viewer has everything, or is gone. */
  end(): Promise<void>;
}

export function openEventStream(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  feed: Feed,
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
  response.write(`retry: 500\n\n${feed.since(lastSeen(request)).map(entryText).join('')}`);
  const stopFeed = feed.subscribe((entry) => send(entryText(entry)));
  const heartbeat = setInterval(() => send(': still here\n\n'), heartbeatMs);
  heartbeat.unref();
  response.once('close', () => {
    stopFeed();
    clearInterval(heartbeat);
  });
  return {
    tellPace: (pace) => send(`event: pace\ndata: ${JSON.stringify(pace)}\n\n`),
    end: () =>
      new Promise((resolve) => {
        response.once('close', resolve);
        response.end();
      }),
  };
}

function lastSeen({ headers }: IncomingMessage): number {
  const id = headers['last-event-id'];
  return typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : 0;
}

function entryText({ id, data }: FeedEntry): string {
  return `id: ${id}\ndata: ${data}\n\n`;
}

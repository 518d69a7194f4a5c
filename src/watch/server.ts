/** Serves the live page: the page itself, its stream, and the controls of a simulated run. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  boundConnections,
  type Connections,
  type EventStream,
  type Feed,
  openEventStream,
} from '../feed/index.ts';
import { control } from './control.ts';
import { admit } from './guard.ts';
import { type Address, listenOn } from './listen.ts';
import type { WatchMessage } from './messages.ts';
import type { Pacer } from './pacer.ts';

export interface WatchServerOptions {
  readonly address: Address;
  readonly feed: Feed<WatchMessage>;
  /** Undefined on real hosts, where the run cannot be held. */
  readonly pacer: Pacer | undefined;
  /** Makes the page, whose script and style must carry the nonce of its policy. */
  readonly page: (nonce: string) => string;
}

export interface WatchServer {
  /** The URL has the token in it: whoever has it may look. Undefined on a socket, which has no URL. */
  readonly url: string | undefined;
  readonly token: string;
  tellPace(): void;
  /** Ends every stream and lets the address go. */
  close(): Promise<void>;
}

/** @throws TdctlError TDCTL_E_ADDRESS. */
export async function startWatchServer(options: WatchServerOptions): Promise<WatchServer> {
  const { address, pacer } = options;
  const token = randomBytes(16).toString('base64url');
  const streams = new Set<EventStream>();
  const server = createServer(patience, (request, response) => {
    const serving = { ...options, token, streams, connections };
    answer({ request, response }, serving).catch(() => response.destroy());
  });
  const connections = boundConnections(server);
  await listenOn(server, address);
  const url =
    'port' in address
      ? `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`
      : undefined;
  return {
    url,
    token,
    tellPace: () => {
      if (pacer === undefined) return;
      for (const stream of streams) stream.tell('pace', pacer.pace);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.race([
        Promise.all([...streams].map((stream) => stream.end())),
        delay(mostFarewellMs, undefined, { ref: false }),
      ]);
      // Browsers also keep connections that they have not used yet.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** So long may a connection take to say what it wants, in milliseconds. Streams are answers, and no request. */
const patience = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** Viewers have so long to take the last messages. */
const mostFarewellMs = 1000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
interface Serving extends WatchServerOptions {
  readonly token: string;
  readonly streams: Set<EventStream>;
  readonly connections: Connections;
}

const headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const;

async function answer(exchange: Exchange, serving: Serving): Promise<void> {
  const { request, response } = exchange;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const { method = '', url = '' } = request;
  const admission = admit({ method, url, headers: request.headers }, serving.token);
  if ('status' in admission) {
    response.setHeader('connection', 'close');
    return refuse(exchange, admission.status, admission.message);
  }
  serving.connections.admit(request.socket);
  const route = `${method} ${admission.path}`;
  if (route === 'GET /') return sendPage(response, serving);
  if (route === 'GET /events') return stream(exchange, serving);
  if (route === 'POST /control') return takeControl(exchange, serving);
  refuse(exchange, 404, 'there is no such page');
}

function refuse({ request, response }: Exchange, status: number, message: string): void {
  request.resume();
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}

function sendPage(response: ServerResponse, { page }: Serving): void {
  const nonce = randomBytes(16).toString('base64url');
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  });
  response.end(page(nonce));
}

function stream(exchange: Exchange, { feed, pacer, streams }: Serving): void {
  const opened = openEventStream(exchange, feed);
  streams.add(opened);
  exchange.response.once('close', () => streams.delete(opened));
  if (pacer !== undefined) opened.tell('pace', pacer.pace);
}

const mostControlBytes = 1024;

async function takeControl(exchange: Exchange, { pacer }: Serving): Promise<void> {
  const { request, response } = exchange;
  if (pacer === undefined) return refuse(exchange, 409, 'a run on a real host cannot be held');
  // A page of another site may send a form, but nothing of this type without a CORS preflight.
  if (request.headers['content-type'] !== 'application/json') {
    return refuse(exchange, 415, 'send application/json');
  }
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > mostControlBytes) return refuse(exchange, 413, 'that is too long');
  }
  const problem = control(pacer, text);
  if (problem !== undefined) return refuse(exchange, 400, problem);
  response.writeHead(204);
  response.end();
}

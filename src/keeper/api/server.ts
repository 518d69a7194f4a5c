/** Serves the API of a keeper on the socket in the directory of its TD. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../errors/index.ts';
import { boundConnections, type Connections, type StreamBounds } from '../../feed/index.ts';
import { takeOverSocketFile } from '../../files/index.ts';
import { packageRoot } from '../../package-root.ts';
import { type ApiRange, apiRange } from '../identity.ts';
import { type ConsoleBounds, usualConsoleBounds } from './console.ts';
import { readBody, sendRefusal } from './exchange.ts';
import { type Found, findRoute } from './find-route.ts';
import { type Peers, peersOf } from './peers.ts';
import { endWithRefusal, refusalOfParser, writeUpgrade } from './raw-answers.ts';
import { Refusal } from './refusal.ts';
import type { Serving } from './routes.ts';
import { Streams } from './streams.ts';
import type { KeptSurface, Peer } from './surface.ts';

export interface KeeperServerOptions {
  readonly surface: KeptSurface;
  /** In the directory of the TD, whose owner alone may ask, besides root. It may be of any length. */
  readonly socketPath: string;
  /** The versions that are spoken. */
  readonly api?: ApiRange | undefined;
  readonly bounds?: Partial<ServerBounds> | undefined;
  /** Who has connected; without it, the addon tells. */
  readonly peers?: Peers | undefined;
  /** Hears of what no answer tells: defects. */
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

export interface ServerBounds {
  /** So long may a connection take to say what it wants, in milliseconds. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** So long may one do nothing for which nothing is being done. */
  readonly idleMs: number;
  readonly mostStreams: number;
  /** Readers have so long to take the last words when the server ends. */
  readonly farewellMs: number;
  readonly events: StreamBounds;
  readonly console: ConsoleBounds;
}

const usualBounds: ServerBounds = {
  headersMs: 10_000,
  requestMs: 20_000,
  idleMs: 60_000,
  mostStreams: 64,
  farewellMs: 1_000,
  // A keeper has one TD, and little memory for those who do not read.
  events: { mostBacklogBytes: 1024 * 1024 },
  console: usualConsoleBounds,
};

export interface KeeperServer {
  /** Ends every stream with all that was told, and lets the socket go. */
  close(): Promise<void>;
}

/** @throws TdctlError TDCTL_E_ADDRESS. */
export async function serveKeeper(options: KeeperServerOptions): Promise<KeeperServer> {
  const { surface, socketPath: path, api = apiRange } = options;
  const peers = options.peers ?? peersOf(dirname(path));
  const bounds = { ...usualBounds, ...options.bounds };
  const serving: Serving = {
    surface,
    bounds,
    greeting: {
      name: surface.name,
      pid: surface.identity.pid,
      tdctl: surface.identity.tdctl,
      api,
      startedAt: surface.identity.startedAt,
      chartVersion: surface.identity.chartVersion,
      guard: peers.guard,
    },
    streams: new Streams(bounds.mostStreams),
    openApi: readOpenApi(),
  };
  const server = createServer({
    headersTimeout: bounds.headersMs,
    requestTimeout: bounds.requestMs,
    keepAliveTimeout: Math.min(5_000, bounds.idleMs),
    connectionsCheckingInterval: Math.min(1_000, bounds.headersMs),
    // Over a UNIX socket there is no other host that could be meant.
    requireHostHeader: false,
  });
  const connections = boundConnections(server);
  const answering = new Answering({
    server,
    serving,
    connections,
    peers,
    api,
    idleMs: bounds.idleMs,
    onDefect: options.onDefect,
  });
  const file = { path, op: 'serve the API of a TD', anyLength: true };
  const remove = await takeOverSocketFile(server, file);
  return {
    close: () => {
      remove();
      return answering.close(bounds.farewellMs);
    },
  };
}

/** It is read before the TD is made: the package may be replaced while that lives. */
function readOpenApi(): Buffer | undefined {
  const path = join(packageRoot(), 'schema/keeper-api.openapi.json');
  return existsSync(path) ? readFileSync(path) : undefined;
}

interface Parts {
  readonly server: Server;
  readonly serving: Serving;
  readonly connections: Connections;
  readonly peers: Peers;
  readonly api: ApiRange;
  readonly idleMs: number;
  readonly onDefect?: ((error: unknown) => void) | undefined;
}

class Answering {
  readonly #parts: Parts;
  /** Of each connection that is open; one who may not ask has it undefined here. */
  readonly #peerOf = new Map<Duplex, { readonly by: Peer | undefined; readonly mayAsk: boolean }>();
  /** The connections for which something is being done, so that they are not idle. */
  readonly #busy = new Set<Duplex>();
  /** The users who were turned away and written down. */
  readonly #told = new Set<number>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { server } = parts;
    server.on('connection', (socket: Socket) => this.#meet(socket));
    server.on('request', (request, response) => void this.#answer(request, response));
    server.on('upgrade', (request, socket) => this.#upgrade(request, socket));
    server.on('connect', (request, socket) => this.#refuse(socket, () => this.#find(request)));
    server.on('clientError', (error, socket) => {
      // Nothing can be said in the middle of an answer.
      if (this.#busy.has(socket) || !socket.writable) socket.destroy();
      else endWithRefusal(socket, refusalOfParser(error));
    });
    server.setTimeout(parts.idleMs);
    server.on('timeout', (socket) => {
      if (!this.#busy.has(socket)) socket.destroy();
    });
  }

  async close(farewellMs: number): Promise<void> {
    const { server, serving } = this.#parts;
    const closed = new Promise((resolve) => server.close(resolve));
    await Promise.race([
      Promise.all([serving.streams.end(), closed]),
      delay(farewellMs, undefined, { ref: false }),
    ]);
    for (const socket of this.#peerOf.keys()) socket.destroy();
    await closed;
  }

  #meet(socket: Socket): void {
    const { peers, serving } = this.#parts;
    const by = peerOf(peers, socket);
    const mayAsk = peers.mayAsk(by);
    this.#peerOf.set(socket, { by, mayAsk });
    socket.once('close', () => {
      this.#peerOf.delete(socket);
      this.#busy.delete(socket);
    });
    if (mayAsk || by === undefined || this.#told.has(by.uid)) return;
    this.#told.add(by.uid);
    serving.surface.refused(by);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = { request, response };
    const { socket } = request;
    response.setHeader('cache-control', 'no-store');
    try {
      const { route, query } = this.#find(request);
      const body = await readBody(exchange, route.takes ?? {});
      // Until here it was up to whoever asks.
      this.#busy.add(socket);
      response.once('close', () => this.#busy.delete(socket));
      const { by } = this.#peerOf.get(socket) ?? {};
      await route.answer({ ...this.#parts.serving, ...exchange, by, query, body });
    } catch (error) {
      // Nobody is there any more, or was told already that the request is not complete.
      if (socket.destroyed || (request.destroyed && !request.complete)) return;
      this.#tellDefect(error);
      sendRefusal(exchange, error);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex): void {
    this.#refuse(socket, () => {
      const { route, query } = this.#find(request);
      const { upgrade } = route;
      const asked = request.headers.upgrade ?? '';
      if (upgrade?.protocol !== asked.toLowerCase()) throw noSuchProtocol(upgrade?.protocol);
      const { serving } = this.#parts;
      serving.streams.checkRoom();
      const wanted = { ...serving, socket, query };
      upgrade.check?.(wanted);
      this.#busy.add(socket);
      writeUpgrade(socket, upgrade.protocol, upgrade.headers?.(wanted));
      upgrade.open(wanted);
    });
  }

  /** @throws Refusal. */
  #find(request: IncomingMessage): Found {
    const { connections, api } = this.#parts;
    const { socket } = request;
    if (this.#peerOf.get(socket)?.mayAsk !== true) throw notTheirs();
    connections.admit(socket);
    return findRoute(request, api);
  }

  /** Does what answers on the bare connection, and tells there why it cannot be done. */
  #refuse(socket: Duplex, attempt: () => unknown): void {
    socket.on('error', () => socket.destroy());
    try {
      attempt();
    } catch (error) {
      this.#tellDefect(error);
      endWithRefusal(socket, error);
    }
  }

  #tellDefect(error: unknown): void {
    if (!(error instanceof TdctlError)) this.#parts.onDefect?.(error);
  }
}

function peerOf(peers: Peers, socket: Socket): Peer | undefined {
  try {
    return peers.of(socket);
  } catch {
    // It is gone again already.
    return undefined;
  }
}

function notTheirs(): Refusal {
  return new Refusal(403, {
    code: 'TDCTL_E_NOT_OWNER',
    message: 'this TD is kept by another user, and you are neither that user nor root',
    hint: 'ask as that user, or as root',
    headers: { connection: 'close' },
  });
}

function noSuchProtocol(protocol: string | undefined): Refusal {
  return new Refusal(400, {
    message: 'the connection cannot be upgraded to this protocol here',
    hint:
      protocol === undefined
        ? 'leave out the header `upgrade`'
        : `the one that there is is ${protocol}`,
  });
}

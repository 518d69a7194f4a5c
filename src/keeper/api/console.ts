/** `GET /v1/console`: the log, or with an upgrade what the guest prints from now on, and what is typed to it. */
import { closeSync, createReadStream, openSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errnoOf } from '../../errors/errno.ts';
import type { KeptConsole } from './surface.ts';

export interface ConsoleBounds {
  /** A reader that is further behind is told so, and cut off. */
  readonly mostBacklogBytes: number;
  /** So long has one who is cut off to read what there is for it. */
  readonly farewellMs: number;
}

export const usualConsoleBounds: ConsoleBounds = {
  mostBacklogBytes: 1024 * 1024,
  farewellMs: 5000,
};

/** So soon is tried again what a guest had no room for. */
const typeAgainMs = 20;

export async function sendConsoleLog(
  response: ServerResponse,
  console: KeptConsole,
  from: number,
): Promise<void> {
  const piece = openLog(console, from);
  const length = piece === undefined ? 0 : piece.end - piece.start;
  response.writeHead(200, {
    // Bytes of the guest, which may be anything; a browser must not take them for a page.
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-length': length,
    // Where the next reading begins.
    'tdctl-console-end': piece?.end ?? 0,
  });
  if (piece === undefined || length === 0) {
    response.end();
    if (piece !== undefined) closeSync(piece.fd);
    return;
  }
  await pipeline(readPiece(piece), response);
}

interface Piece {
  readonly fd: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The log from there to what was printed last. One that has become shorter was begun anew, so all of it is given.
 * @returns undefined where nothing was printed yet.
 */
function openLog({ path, sizeBytes: end }: KeptConsole, from: number): Piece | undefined {
  try {
    return { fd: openSync(path, 'r'), start: from > end ? 0 : from, end };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What follows was printed later, and others tell it. */
function readPiece({ fd, start, end }: Piece) {
  return createReadStream('', { fd, start, end: end - 1 });
}

/** The byte of the log that comes first of a reader who asks for one, or for what is printed from now on. */
export function consoleFrom({ sizeBytes }: KeptConsole, from: string | undefined): number {
  if (from === undefined) return sizeBytes;
  return Number(from) > sizeBytes ? 0 : Number(from);
}

export interface ConsoleStream {
  /** Resolves once the reader is gone. */
  end(): Promise<void>;
}

/** @param from the byte of the log to begin with; without it, what is printed from now on. */
export function openConsole(
  socket: Duplex,
  console: KeptConsole,
  { from, bounds }: { readonly from: number | undefined; readonly bounds: ConsoleBounds },
): ConsoleStream {
  // Both at one moment, so that nothing is missed and nothing comes twice.
  const before = from === undefined ? undefined : openLog(console, from);
  let waiting: Uint8Array[] | undefined = [];
  let waitingBytes = 0;
  const leave = console.subscribe((bytes) => {
    if (waiting === undefined) return send(bytes);
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes > bounds.mostBacklogBytes) cutOff();
  });
  const typing = typeInto(console, socket);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.once('close', leave);
  // A reader that is gone closes; there is nobody to tell.
  socket.on('error', () => socket.destroy());

  function send(bytes: Uint8Array): void {
    if (socket.writableEnded) return;
    socket.write(bytes);
    if (socket.writableLength > bounds.mostBacklogBytes) cutOff();
  }
  function cutOff(): void {
    leave();
    typing.end();
    waiting = [];
    socket.end(
      `\r\ntdctl: this reader was too slow and has been cut off; go on with ?from=${console.sizeBytes}\r\n`,
    );
    setTimeout(() => socket.destroy(), bounds.farewellMs).unref();
  }
  async function begin(): Promise<void> {
    if (before !== undefined && before.end > before.start) {
      for await (const chunk of readPiece(before)) {
        if (socket.writableEnded || socket.destroyed) return;
        if (!socket.write(chunk)) await drained(socket);
      }
    } else if (before !== undefined) closeSync(before.fd);
    const held = waiting ?? [];
    waiting = undefined;
    for (const bytes of held) send(bytes);
  }
  begin().catch(() => socket.destroy());
  return {
    end: () => {
      leave();
      // What is still typed goes to the keeper that has the TD by now, until whoever types has heard of the end.
      if (!console.goesOn) typing.end();
      socket.end();
      return closed;
    },
  };
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** So much may be typed ahead; whoever types more waits. Less, and it is heard at once when they leave. */
const mostTypedAheadBytes = 64 * 1024;

/** A guest takes as much as it has room for, and the rest waits; where none runs, until one does. */
function typeInto(console: KeptConsole, socket: Duplex): { end(): void } {
  let rest: Buffer = Buffer.alloc(0);
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const go = () => {
    timer = undefined;
    if (isOver) return;
    rest = rest.subarray(console.input(rest));
    if (rest.length <= mostTypedAheadBytes) socket.resume();
    if (rest.length === 0) return;
    timer = setTimeout(go, typeAgainMs);
    timer.unref();
  };
  socket.on('data', (bytes: Buffer) => {
    if (isOver) return;
    rest = Buffer.concat([rest, bytes]);
    if (rest.length > mostTypedAheadBytes) socket.pause();
    if (timer === undefined) go();
  });
  socket.once('close', () => clearTimeout(timer));
  return {
    end: () => {
      isOver = true;
      clearTimeout(timer);
      // What still comes is thrown away, so that the end of the connection is heard.
      socket.resume();
    },
  };
}

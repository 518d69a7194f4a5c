/** A UNIX socket with a name in the file system, which others connect to. */
import { once } from 'node:events';
import { existsSync, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { longestSocketPathBytes, type SocketPath, socketPath } from './socket-path.ts';
import { inodeKeyOf } from './target.ts';

export interface SocketFile {
  readonly path: string;
  /** What is served on it, as errors say: `serve the live page`. */
  readonly op: string;
  /** Whether those who connect know the way to one whose path is too long for its address (socket-path.ts). */
  readonly anyLength?: boolean | undefined;
}

/**
 * The socket belongs to its owner alone, from its first moment. One that nobody serves is replaced: it is what a
 * killed process leaves. Closing the server removes it.
 *
 * @throws TdctlError TDCTL_E_ADDRESS.
 */
export async function listenOnSocketFile(server: Server, file: SocketFile): Promise<void> {
  await bind(server, file, removeStale);
}

/**
 * As listenOnSocketFile, for a socket that another process may take over later: closing the server removes nothing.
 *
 * @returns what removes it, where nobody has taken it over since.
 * @throws TdctlError TDCTL_E_ADDRESS.
 */
export async function serveSocketFile(server: Server, file: SocketFile): Promise<() => void> {
  refuseTooLong(file);
  const reached = reach(file);
  try {
    await removeStale(file, reached);
  } finally {
    reached.release();
  }
  return await bindAside(server, file, (place, path) => {
    linkSync(place, path);
    unlinkSync(place);
  });
}

/**
 * Serves it in the place of whoever has served it until now, with no moment between the two: it is bound under
 * another name, and renamed. Whoever served it before may close, and removes nothing.
 *
 * @returns what removes it, where nobody has taken it over since.
 * @throws TdctlError TDCTL_E_ADDRESS.
 */
export async function takeOverSocketFile(server: Server, file: SocketFile): Promise<() => void> {
  refuseTooLong(file);
  return await bindAside(server, file, renameSync);
}

let boundAside = 0;

/** Binds it under another name, which the server removes when it closes, and has it put in its place then. */
async function bindAside(
  server: Server,
  file: SocketFile,
  put: (place: string, path: string) => void,
): Promise<() => void> {
  const { path } = file;
  // A short one, for a path that is as long as it may be.
  const place = join(dirname(path), `.${process.pid}.${++boundAside}`);
  const aside = { ...file, path: place, anyLength: true };
  await bind(server, aside, async ({ path: left }) => drop(left));
  const own = inodeAt(place);
  try {
    put(place, path);
  } catch (cause) {
    // A server that listens keeps its process.
    server.close();
    throw notHad(file, cause);
  }
  return () => {
    if (inodeAt(path) === own) drop(path);
  };
}

function inodeAt(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && inodeKeyOf(stats);
}

function drop(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

type Clear = (file: SocketFile, reached: SocketPath) => Promise<void>;

/** A name that others know it by. */
function refuseTooLong(file: SocketFile): void {
  const length = Buffer.byteLength(file.path);
  if (length > longestSocketPathBytes && file.anyLength !== true) throw tooLong(file, length);
}

async function bind(server: Server, file: SocketFile, clear: Clear): Promise<void> {
  refuseTooLong(file);
  const reached = reach(file);
  // Through its directory too, where the name itself is what is long.
  if (Buffer.byteLength(reached.path) > longestSocketPathBytes) {
    reached.release();
    throw tooLong(file, Buffer.byteLength(file.path));
  }
  // Closing the server removes the file by the path that was bound.
  server.once('close', reached.release);
  try {
    await clear(file, reached);
    const mask = process.umask(0o177);
    try {
      server.listen(reached.path);
    } finally {
      process.umask(mask);
    }
    await once(server, 'listening');
  } catch (cause) {
    reached.release();
    throw cause instanceof TdctlError ? cause : notHad(file, cause);
  }
}

function reach(file: SocketFile): SocketPath {
  try {
    return socketPath(file.path);
  } catch (cause) {
    throw notHad(file, cause);
  }
}

async function removeStale(file: SocketFile, reached: SocketPath): Promise<void> {
  const found = lstatSync(file.path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw refused(file, otherFile);
  if (await isServed(reached.path)) throw refused(file, inUse);
  try {
    unlinkSync(file.path);
  } catch (cause) {
    throw notHad(file, cause);
  }
}

async function isServed(path: string): Promise<boolean> {
  // Commands that serve nothing come by, and it takes Node a while to load.
  const socket = process.getBuiltinModule('node:net').connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

interface Reason {
  readonly message: string;
  readonly hint: string;
}

const inUse: Reason = {
  message: 'another process serves this socket',
  hint: 'name another path, or end that process first',
};
const otherFile: Reason = {
  message: 'there is a file of that name which is no socket, and it was left as it is',
  hint: 'name another path',
};
const reasons: Readonly<Record<string, Reason>> = {
  EADDRINUSE: inUse,
  EEXIST: inUse,
  EACCES: {
    message: 'you may not make a socket there',
    hint: 'name a path in a directory that you may write to',
  },
  ENOENT: { message: 'its directory does not exist', hint: 'make the directory first' },
};

function tooLong(file: SocketFile, length: number): TdctlError {
  return refused(file, {
    message: `the path has ${length} bytes, and the one of a UNIX socket has at most ${longestSocketPathBytes}`,
    hint: 'name a shorter one, as in /run or /tmp',
  });
}

function notHad(file: SocketFile, cause: unknown): TdctlError {
  // Where bind() fails with ENOENT, libuv reports EACCES.
  const errno = existsSync(dirname(file.path)) ? errnoOf(cause) : 'ENOENT';
  const known = reasons[errno ?? ''] ?? {
    message: cause instanceof Error ? cause.message : String(cause),
    hint: 'name another path',
  };
  return refused(file, known, cause);
}

function refused({ path, op }: SocketFile, reason: Reason, cause?: unknown): TdctlError {
  return new TdctlError({ code: 'TDCTL_E_ADDRESS', op, place: sanitize(path), ...reason, cause });
}

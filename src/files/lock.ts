/**
 * One writer of a file at a time. A lock is a Unix socket that listens under a name of the abstract
 * namespace: the kernel lets go of it when the process ends, however it does, and no file is left
 * behind. Processes in different network namespaces do not see each other's locks.
 */
import type { Server } from 'node:net';
import { errnoOf } from '../errors/errno.ts';

export interface FileLock {
  release(): void;
}

/** A sandbox may forbid sockets. Writing without the lock is better there than not writing. */
const noSockets = ['EPERM', 'EACCES', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENOSYS'];

/**
 * @param key says which file it is, the same in every process
 * @returns undefined where somebody else has it.
 * @throws the error of the system call.
 */
export async function tryLock(key: string): Promise<FileLock | undefined> {
  // Loaded with the first lock: they take Node a tenth of its start.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { createServer } = process.getBuiltinModule('node:net');
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32);
  // Whoever connects has nothing to say here.
  const server = createServer((stranger) => stranger.destroy());
  server.unref();
  try {
    await listening(server, `\0tdctl/writes/${name}`);
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (errno === 'EADDRINUSE') return undefined;
    if (!noSockets.includes(errno)) throw error;
  }
  return { release: () => void (server.listening && server.close()) };
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, resolve);
  });
}

const triesEveryMs = 20;
const mostTries = 25;

/**
 * All of the locks or none. They are tried for half a second: where a tdctl was killed in the middle of a fork, the child
 * has its locks until it has ended too.
 *
 * @returns undefined where somebody else has one. @throws as {@link tryLock}.
 */
export async function takeLocks(keys: readonly string[]): Promise<FileLock | undefined> {
  for (let tries = 1; ; tries += 1) {
    const locks = await tryLocks(keys);
    if (locks !== undefined || tries === mostTries) return locks;
    await new Promise((resolve) => setTimeout(resolve, triesEveryMs));
  }
}

async function tryLocks(keys: readonly string[]): Promise<FileLock | undefined> {
  const held: FileLock[] = [];
  const release = () => {
    for (const lock of held.splice(0)) lock.release();
  };
  try {
    for (const key of keys) {
      const lock = await tryLock(key);
      if (lock === undefined) {
        release();
        return undefined;
      }
      held.push(lock);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

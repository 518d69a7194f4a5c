/** The lock that says whose a TD is. It is held for life, and the kernel lets go of it with its process. */
import { closeSync, fstatSync, statSync } from 'node:fs';
import { loadAddon } from '../../native/index.ts';
import { errnoOf } from '../errors/errno.ts';
import { type FileLock, tryLock } from '../files/lock.ts';
import { openLockFile } from '../files/owned-file.ts';
import { inodeKeyOf } from '../files/target.ts';

/**
 * Two locks are one: flock() by the addon, and the abstract socket of src/files/lock.ts for processes that cannot
 * load it. Where both can be taken, both are, and either one keeps others out.
 *
 * @returns `held` where another has it; `moved` where the path led to another file meanwhile, or to none.
 * @throws the error of the system call.
 */
export async function tryTdLock(path: string): Promise<FileLock | 'held' | 'moved'> {
  const fd = openLockFile(path);
  const close = () => closeSync(fd);
  let socket: FileLock | undefined;
  try {
    const key = inodeKeyOf(fstatSync(fd, { bigint: true }));
    if (tryFlock(fd)) socket = await tryLock(`td/${key}`);
    // The directory may have been renamed since the file was opened: then this is the lock of no TD.
    const isThere = inodeAt(path) === key;
    if (socket !== undefined && isThere) return heldBy(socket, close);
    socket?.release();
    close();
    return isThere ? 'held' : 'moved';
  } catch (error) {
    socket?.release();
    close();
    throw error;
  }
}

function heldBy(socket: FileLock, close: () => void): FileLock {
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      close();
      socket.release();
    },
  };
}

/** @returns false where another process has it. Where there is no such lock, nobody has it. */
function tryFlock(fd: number): boolean {
  const native = loadAddon();
  if (!native.available) return true;
  try {
    return native.addon.tryLock(fd);
  } catch (error) {
    // A network file system without locks.
    if (['ENOLCK', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'].includes(errnoOf(error) ?? '')) return true;
    throw error;
  }
}

function inodeAt(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && inodeKeyOf(stats);
}

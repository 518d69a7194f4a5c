/** A directory whose owner is a process: the one that holds the lock in it, for life. */
import { existsSync } from 'node:fs';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import type { FileLock } from '../files/lock.ts';
import { notWritable } from '../files/not-writable.ts';
import { refused, refuseWhatOthersWrite } from './state-directory.ts';
import { tryTdLock } from './td-lock.ts';
import { type Making, makeOwned } from './td-making.ts';

export interface TakenDirectory {
  readonly isNew: boolean;
  readonly lock: FileLock;
}

export interface Locked {
  readonly directory: string;
  readonly lock: string;
  /** Of whoever is to have the directory next: while that is held, nobody else comes to have it. */
  readonly nextLock?: string | undefined;
}

interface Taking {
  /** What the directory is of, as errors say. */
  readonly what: string;
  /** How the directory is made where there is none; without it, it is not. */
  readonly making: Making | undefined;
  notFound(): Error;
}

/**
 * Makes a directory this process's own; undefined where another process has it. Whoever makes or removes it at the same
 * moment leaves one, or none: both need another look.
 */
export async function takeDirectory(
  { directory, lock: path, nextLock }: Locked,
  { what, making, notFound }: Taking,
): Promise<TakenDirectory | undefined> {
  for (;;) {
    if (!refuseWhatOthersWrite(directory)) {
      if (making === undefined) throw notFound();
      const made = await make(making, { directory, what });
      if (made !== undefined) return { isNew: true, lock: made };
      continue;
    }
    try {
      const lock = await tryTdLock(path);
      if (lock === 'held') return undefined;
      if (lock !== 'moved' && nextLock !== undefined && (await isHeld(nextLock))) {
        lock.release();
        return undefined;
      }
      if (lock !== 'moved') return { isNew: false, lock };
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === 'ELOOP') throw refused(path, linkInPlace, cause);
      if (errno !== 'ENOENT') throw notWritable({ path, what: `lock of the ${what}` }, cause);
    }
  }
}

/** Whether somebody has a lock that need not be there. @throws the error of the system call. */
async function isHeld(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const lock = await tryTdLock(path);
  if (lock === 'held') return true;
  if (lock !== 'moved') lock.release();
  return false;
}

const linkInPlace = {
  message: 'this is a symbolic link where tdctl keeps a file of its own',
  hint: 'see who made it, and remove it',
};

async function make(
  making: Making,
  { directory, what }: { readonly directory: string; readonly what: string },
): Promise<FileLock | undefined> {
  try {
    return await makeOwned(making);
  } catch (cause) {
    if (cause instanceof TdctlError) throw cause;
    throw notWritable({ path: directory, what: `directory of the ${what}` }, cause);
  }
}

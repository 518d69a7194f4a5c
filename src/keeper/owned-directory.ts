/** A directory whose owner is a process: the one that holds the lock in it, for life. */
import { errnoOf } from '../errors/errno.ts';
import type { FileLock } from '../files/lock.ts';
import { notWritable } from '../files/not-writable.ts';
import { makeNewPrivateDirectory } from '../files/private-directory.ts';
import { refused, refuseWhatOthersWrite } from './state-directory.ts';
import { prepareTdLock, tryTdLock } from './td-lock.ts';

export interface TakenDirectory {
  readonly isNew: boolean;
  readonly lock: FileLock;
}

interface Taking {
  /** What the directory is of, as errors say. */
  readonly what: string;
  /** Makes the directory where there is none. */
  readonly create: boolean;
  notFound(): Error;
}

/**
 * Makes a directory this process's own; undefined where another process has it. Whoever removes it at the same moment
 * leaves none, or one that is made anew: both need another look.
 */
export async function takeDirectory(
  { directory, lock: path }: { readonly directory: string; readonly lock: string },
  { what, create, notFound }: Taking,
): Promise<TakenDirectory | undefined> {
  prepareTdLock();
  for (;;) {
    const isNew = create && make(directory, what);
    if (!refuseWhatOthersWrite(directory)) {
      if (create) continue;
      throw notFound();
    }
    try {
      const lock = await tryTdLock(path);
      if (lock === 'held') return undefined;
      if (lock !== 'moved') return { isNew, lock };
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === 'ELOOP') throw refused(path, linkInPlace, cause);
      if (errno !== 'ENOENT') throw notWritable({ path, what: `lock of the ${what}` }, cause);
    }
  }
}

const linkInPlace = {
  message: 'this is a symbolic link where tdctl keeps a file of its own',
  hint: 'see who made it, and remove it',
};

function make(directory: string, what: string): boolean {
  try {
    return makeNewPrivateDirectory(directory);
  } catch (cause) {
    throw notWritable({ path: directory, what: `directory of the ${what}` }, cause);
  }
}

/**
 * How a directory that one process owns comes to be: under a name that nobody lists and that is none of theirs, then renamed. Whoever
 * finds it in its place finds who has it: its lock is held, and its status says by whom. The kernel renames no
 * directory over one in which there is something (rename(2)), so of several makers one wins.
 */
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors/errno.ts';
import type { FileLock } from '../files/lock.ts';
import { notWritable } from '../files/not-writable.ts';
import { makeNewPrivateDirectory, moveTo, removeTree } from '../files/private-directory.ts';
import { makingPrefix, passingName, removingPrefix, tdFileNames } from './td-files.ts';
import { tryTdLock } from './td-lock.ts';

export interface Making {
  /** The directory that it stands in. */
  readonly parent: string;
  readonly name: string;
  /** Writes what is to be found in it from the first moment. */
  readonly begin: (directory: string) => void;
}

const taken = ['EEXIST', 'ENOTEMPTY', 'ENOTDIR'];

/**
 * @returns its lock; undefined where another was there first.
 * @throws TdctlError of `begin`, or the error of the system call: nothing is left of it.
 */
export async function makeOwned({ parent, name, begin }: Making): Promise<FileLock | undefined> {
  const making = `${parent}/${passingName(makingPrefix, name)}`;
  if (!makeNewPrivateDirectory(making)) return undefined;
  let lock: FileLock | undefined;
  try {
    lock = await lockOf(making);
    if (lock === undefined) return undefined;
    begin(making);
    moveTo(making, `${parent}/${name}`);
    return lock;
  } catch (error) {
    removeTree(making);
    lock?.release();
    if (taken.includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/**
 * Removes what makers have left that died. What is being made at this moment stays.
 *
 * @param paths of directories that were being made
 * @returns how many there were.
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export async function clearMakings(paths: readonly string[]): Promise<number> {
  let cleared = 0;
  for (const path of paths) {
    try {
      if (await clearMaking(path)) cleared += 1;
    } catch (cause) {
      throw notWritable({ path, what: 'directory that was not made' }, cause);
    }
  }
  return cleared;
}

async function clearMaking(path: string): Promise<boolean> {
  const lock = await lockOf(path);
  if (lock === undefined) return false;
  try {
    removeAside(path, join(dirname(path), basename(path).replace(makingPrefix, removingPrefix)));
    return true;
  } catch (error) {
    // Its maker has given it up, and removed it meanwhile.
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  } finally {
    lock.release();
  }
}

/**
 * Removes a directory that this process owns. It gets another name first: whoever looks for its lock by the name it had
 * finds this process's or none, and cannot make one in what is half removed and take it for its own.
 *
 * @throws the error of the system call.
 */
export function removeAside(directory: string, aside: string): void {
  moveTo(directory, aside);
  removeTree(aside);
}

/** @returns undefined where another has it, or the directory is gone: it is in its place, or was cleared. */
async function lockOf(directory: string): Promise<FileLock | undefined> {
  try {
    const lock = await tryTdLock(`${directory}/${tdFileNames.lock}`);
    return lock === 'held' || lock === 'moved' ? undefined : lock;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

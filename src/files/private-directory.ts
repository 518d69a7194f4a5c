/** Directories of tdctl's own, which nobody else may look into, and their end. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errors/errno.ts';

/**
 * With those above it. One that is there stays as it is. Node's own way of making several tries for ever where a
 * directory is there and nothing can be made in it, as in /proc.
 *
 * @throws the error of the system call.
 */
export function makePrivateDirectory(path: string): void {
  try {
    makeNewPrivateDirectory(path);
  } catch (error) {
    const above = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || existsSync(above)) throw error;
    makePrivateDirectory(above);
    makeNewPrivateDirectory(path);
  }
}

/** @returns false where something has the name. @throws other errors of the system call. */
export function makeNewPrivateDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Gives a directory or a file another name in the same file system. @throws the error of the system call. */
export function moveTo(from: string, to: string): void {
  renameSync(from, to);
}

/** @returns whether it was there. @throws other errors of the system call. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Of removing one directory. Others add a file each, and no more once it is gone. */
const mostTries = 100;

/**
 * Removes a directory and what is in it. Symbolic links are not followed, and another process may be at the
 * same work.
 *
 * @throws the error of the system call.
 */
export function removeTree(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    removeFile(path);
    return;
  }
  // Whoever removes it too may have looked for its lock meanwhile, and made the file by that.
  for (let tries = 1; ; tries += 1) {
    for (const entry of entriesOf(path)) removeTree(`${path}/${entry}`);
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') return;
      if (errno !== 'ENOTEMPTY' || tries === mostTries) throw error;
    }
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

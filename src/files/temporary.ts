/** The temporary file beside a file that is about to be written. Its name is `.NAME.PID-RANDOM.tdctl-tmp`. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors/errno.ts';
import { randomSuffix } from './random-suffix.ts';
import { syncDirectory, syncFile } from './sync-file.ts';
import type { FileTarget } from './target.ts';

export interface Temporary {
  /** Writes all of it to the disk. @throws the error of the system call. */
  fill(content: string | Buffer): void;
  /** Takes the name of the target, over what is there. @throws the error of the system call. */
  replaceTarget(): void;
  /** Takes the name of the target. @returns false where something has it. @throws other errors. */
  becomeTarget(): boolean;
  /** Removes what is left of it. */
  remove(): void;
}

const suffix = '.tdctl-tmp';
/** The longest name that Linux file systems take, less what is put around it here. */
const longestBase = 255 - '.'.length - '.4194304-ffffffff'.length - suffix.length;
const permissionBits = 0o7777n;
const { O_WRONLY, O_CREAT, O_EXCL } = constants;
/** Those of this process that are in use. A process of before may have had its number. */
const inUse = new Set<string>();

/** @throws the error of the system call. */
export function makeTemporary({ path, stats }: FileTarget): Temporary {
  const directory = dirname(path);
  const name = join(directory, `${prefixOf(path)}${process.pid}-${randomSuffix()}${suffix}`);
  // A new file gets what the umask leaves; one that replaces another gets its rights once it is filled.
  let fd: number | undefined = openSync(
    name,
    O_WRONLY | O_CREAT | O_EXCL,
    stats === undefined ? 0o666 : 0o600,
  );
  inUse.add(name);
  let isThere = true;
  const close = () => {
    const open = fd;
    fd = undefined;
    if (open !== undefined) closeSync(open);
  };
  return {
    fill(content) {
      if (fd === undefined) return;
      writeFileSync(fd, content);
      if (stats !== undefined) {
        keepOwner(fd, { uid: Number(stats.uid), gid: Number(stats.gid) });
        fchmodSync(fd, Number(stats.mode & permissionBits));
      }
      syncFile(fd);
      // Some file systems tell of a full disk only here.
      close();
    },
    replaceTarget() {
      renameSync(name, path);
      isThere = false;
      syncDirectory(directory);
    },
    becomeTarget() {
      if (!linkNew(name, path)) return false;
      syncDirectory(directory);
      return true;
    },
    remove() {
      try {
        close();
      } catch {
        // Nobody wants its content any more.
      }
      if (isThere) removeQuietly(name);
      isThere = false;
      inUse.delete(name);
    },
  };
}

/** Removes what killed writers of this file have left. Whoever calls this has the lock of the file. */
export function removeLeftovers(path: string): void {
  removeUnused(dirname(path), prefixOf(path), /^(\d+)-[0-9a-f]{8}$/);
}

/** Removes what killed writers of any file of a directory have left: one that nobody but processes of tdctl write to. */
export function removeAbandoned(directory: string): void {
  removeUnused(directory, '.', /\.(\d+)-[0-9a-f]{8}$/);
}

function removeUnused(directory: string, prefix: string, owner: RegExp): void {
  for (const name of namesIn(directory)) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
    const [, pid] = owner.exec(name.slice(prefix.length, -suffix.length)) ?? [];
    const leftover = join(directory, name);
    if (pid !== undefined && !isUsed(leftover, Number(pid))) removeQuietly(leftover);
  }
}

/** A process of another network namespace does not see the lock, and may be at work. */
function isUsed(path: string, pid: number): boolean {
  return pid === process.pid ? inUse.has(path) : isAlive(pid);
}

function prefixOf(path: string): string {
  const bytes = Buffer.from(basename(path));
  return `.${bytes
    .subarray(0, longestBase)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '_')}.`;
}

/** Only the superuser may give a file away, and nobody else needs to. */
function keepOwner(fd: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
  }
}

/** link(2) never replaces. @returns false where the name is taken. */
function linkNew(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'].includes(errnoOf(error) ?? '')) throw error;
  }
  return reserveAndRename(from, to);
}

/** Where the file system has no hard links, such as FAT: the name is taken first, and then replaced. */
function reserveAndRename(from: string, to: string): boolean {
  try {
    closeSync(openSync(to, 'wx'));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    removeQuietly(to);
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is harmless where it is, and its name says whose it was.
  }
}

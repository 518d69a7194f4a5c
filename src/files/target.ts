/** Where a path leads, before anything is opened: symbolic links are followed, also to a file that is not there yet. */
import { type BigIntStats, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../errors/errno.ts';

export type Target =
  /** A file that this process has open already: /dev/stdout, /dev/fd/3. */
  | { readonly kind: 'descriptor'; readonly fd: number }
  /** A device, a FIFO or a socket: what is written there replaces nothing. */
  | { readonly kind: 'special'; readonly path: string; readonly isFifo: boolean }
  | FileTarget;

/** A regular file, or none yet. A directory is here too, and opening it tells. */
export interface FileTarget {
  readonly kind: 'file';
  /** No part of it is a symbolic link. */
  readonly path: string;
  /** It is undefined where nothing is there yet. */
  readonly stats: BigIntStats | undefined;
  /** Says which file it is by its place: equal texts are one file. */
  readonly nameKey: string;
  /** Says the same by device and inode, which hard links share. */
  readonly inodeKey: string | undefined;
}

/** Linux follows so many symbolic links. */
const mostLinks = 40;

/** @throws the error of the system call where the directory is not there, or links lead in a circle. */
export function findTarget(path: string): Target {
  const real = followed(path);
  const [, pid, fd] = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd\/(\d+)$/.exec(real) ?? [];
  if (fd !== undefined && pid === String(process.pid)) {
    return { kind: 'descriptor', fd: Number(fd) };
  }
  const stats = statSync(real, { bigint: true, throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile() && !stats.isDirectory()) {
    return { kind: 'special', path: real, isFifo: stats.isFIFO() };
  }
  const directory = statSync(dirname(real), { bigint: true });
  return {
    kind: 'file',
    path: real,
    stats,
    nameKey: `${inodeKeyOf(directory)}/${basename(real)}`,
    inodeKey: stats && inodeKeyOf(stats),
  };
}

export function inodeKeyOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

function followed(path: string): string {
  let at = path;
  for (let links = 0; links <= mostLinks; links++) {
    // The link of a descriptor is text about what is open, and often no path.
    const here = join(realpathSync.native(dirname(resolve(at))), basename(resolve(at)));
    const link = here.startsWith('/proc/') ? undefined : linkAt(here);
    if (link === undefined) return here;
    at = resolve(dirname(here), link);
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links, ${path}`), { code: 'ELOOP' });
}

/** @returns undefined where there is no link. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EINVAL' || errno === 'ENOENT') return undefined;
    throw error;
  }
}

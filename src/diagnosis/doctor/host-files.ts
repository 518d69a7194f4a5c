/** Reads files of a host: this machine, or a directory that holds copies of its files. */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  realpathSync,
} from 'node:fs';
import { join, sep } from 'node:path';
import { readOpenUpTo } from '../../documents/read-bytes.ts';
import { errnoOf } from '../../errors/errno.ts';
import { type Reading, read } from './reading.ts';

/** A kernel log of a busy host has some MiB; a larger file is cut here. */
const maxBytes = 64 * 1024 * 1024;

export class HostFiles {
  /** Whether these are the files of the running machine, so that devices can be asked too. */
  readonly isLive: boolean;
  readonly #root: string;

  constructor(root?: string) {
    this.isLive = root === undefined;
    this.#root = root === undefined ? '/' : realpathSync(root);
  }

  exists(path: string): boolean {
    try {
      return existsSync(this.#inside(path));
    } catch {
      return false;
    }
  }

  /** Gives the text of a regular file; bytes that are not UTF-8 become U+FFFD. */
  text(path: string): Reading<string> {
    const bytes = this.bytes(path);
    return bytes.state === 'read' ? read(path, bytes.value.toString('utf8')) : bytes;
  }

  bytes(path: string): Reading<Buffer> {
    let fd: number | undefined;
    try {
      // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
      fd = openSync(this.#inside(path), constants.O_RDONLY | constants.O_NONBLOCK);
      if (!fstatSync(fd).isFile()) return { state: 'unreadable', from: path };
      return read(path, readOpenUpTo(fd, maxBytes));
    } catch (error) {
      return { state: stateOf(error), from: path };
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Gives the sorted names in a directory; none where it is missing or may not be listed. */
  names(path: string): string[] {
    try {
      return readdirSync(this.#inside(path)).sort();
    } catch {
      return [];
    }
  }

  /** Gives the directories below one; symbolic links are not followed. */
  directories(path: string): string[] {
    try {
      return readdirSync(this.#inside(path), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
    } catch {
      return [];
    }
  }

  /** Gives the real path behind one of the host. */
  resolve(path: string): string {
    return join(this.#root, path);
  }

  /** A captured tree may hold links that lead out of it, to files of this machine. */
  #inside(path: string): string {
    const full = this.resolve(path);
    if (this.isLive) return full;
    const real = realpathSync(full);
    if (real !== this.#root && !real.startsWith(this.#root + sep)) throw new Error('outside');
    return real;
  }
}

function stateOf(error: unknown): 'absent' | 'denied' | 'unreadable' {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
  return code === 'EACCES' || code === 'EPERM' ? 'denied' : 'unreadable';
}

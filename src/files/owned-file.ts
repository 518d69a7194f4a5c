/**
 * Files of a directory whose writer holds a lock on the directory, so that none of them needs one of its own. They
 * are written without a turn of the event loop: a keeper writes down what it does before it goes on.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { notWritable, type OutputFile } from './not-writable.ts';
import { removeFile } from './private-directory.ts';
import { syncData, syncDirectory, syncFile } from './sync-file.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** An fd of the file to lock, which is made where it is not there. @throws the error of the system call. */
export function openLockFile(path: string): number {
  return openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
}

/**
 * Readers have the old file or the new one. After a power cut that is only sure with `flush`.
 *
 * @throws TdctlError TDCTL_E_NOT_WRITABLE: the file is what it was before.
 */
export function replaceFile(
  file: OutputFile,
  content: string,
  { flush }: { readonly flush: boolean },
): void {
  const directory = dirname(file.path);
  const temporary = join(directory, `.${basename(file.path)}.tdctl-tmp`);
  try {
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      writeFileSync(fd, content);
      if (flush) syncFile(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file.path);
    if (flush) syncDirectory(directory);
  } catch (cause) {
    removeQuietly(temporary);
    throw notWritable(file, cause);
  }
}

/** A full disk gets back what the half file took of it. */
function removeQuietly(path: string): void {
  try {
    removeFile(path);
  } catch {
    // The next content goes over it.
  }
}

/** A file that grows by whole records, each of which is all there or cut off again. */
export class AppendedFile {
  readonly #file: OutputFile;
  readonly #fd: number;
  #size: number;
  #isWhole = true;

  /**
   * @param size of what is in the file and stays. What follows it is cut off.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  constructor(file: OutputFile, size: number) {
    this.#file = file;
    this.#size = size;
    let fd: number | undefined;
    try {
      fd = openSync(file.path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
      ftruncateSync(fd, size);
      syncDirectory(dirname(file.path));
    } catch (cause) {
      if (fd !== undefined) closeSync(fd);
      throw notWritable(file, cause);
    }
    this.#fd = fd;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE: the file ends with the record before, as far as it can be cut. */
  append(record: Buffer, { flush }: { readonly flush: boolean }): void {
    try {
      // What an earlier write has left of its record, and nobody could cut off then.
      if (!this.#isWhole) ftruncateSync(this.#fd, this.#size);
      this.#isWhole = false;
      for (let written = 0; written < record.length; ) {
        written += writeSync(this.#fd, record, written);
      }
      if (flush) syncData(this.#fd);
      this.#size += record.length;
      this.#isWhole = true;
    } catch (cause) {
      this.#cut();
      throw notWritable(this.#file, cause);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #cut(): void {
    try {
      ftruncateSync(this.#fd, this.#size);
      this.#isWhole = true;
    } catch {
      // Readers pass over half a record at the end.
    }
  }
}

/** Bytes on their way into an open file, which may be a pipe that takes no more for now. */
import { fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { errnoOf } from '../errors/errno.ts';

/** A reader that has taken nothing for so long is given up. */
const patienceMs = 30_000;
const retryMs = 5;
/** More than that is not kept for a reader that is slower than what it reads. */
const mostWaitingBytes = 64 * 1024 * 1024;
const lineEnd = 0x0a;
/** A line that begins with it belongs to the record before. */
const continuation = 0x20;

export class Outlet {
  readonly #fd: number;
  readonly #isRegular: boolean;
  /** Bytes of the file, and of its whole records: a line, and those below it that are indented. */
  #size: number;
  #wholeRecords: number;
  #waiting: Buffer = Buffer.alloc(0);

  /** @param isOurs whether nobody had the file open before, and its end is where we write */
  constructor(fd: number, { isOurs }: { readonly isOurs: boolean }) {
    this.#fd = fd;
    const stats = fstatSync(fd);
    this.#isRegular = isOurs && stats.isFile();
    this.#size = stats.size;
    this.#wholeRecords = stats.size;
  }

  /** Whether it is a file of ours on a disk, which can be cut and synced. */
  get isRegular(): boolean {
    return this.#isRegular;
  }

  /** Whether bytes wait for the reader to go on. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes the bytes. What the file does not take at once waits. @throws the error of write(2). */
  push(bytes: Buffer): void {
    this.#waiting = this.isBlocked ? Buffer.concat([this.#waiting, bytes]) : bytes;
    this.send();
    if (this.#waiting.length > mostWaitingBytes) throw timedOut();
  }

  /** Writes what waits, as far as the file takes it. @throws the error of write(2). */
  send(): void {
    while (this.#waiting.length > 0) {
      const length = this.#writeSome();
      if (length === 0) return;
      this.#note(length);
      this.#waiting = this.#waiting.subarray(length);
    }
  }

  /** Waits until everything is written. @throws the error of write(2), ETIMEDOUT where nothing moves. */
  async drain(): Promise<void> {
    let left = this.#waiting.length;
    let deadline = performance.now() + patienceMs;
    for (this.send(); this.isBlocked; this.send()) {
      if (this.#waiting.length < left) deadline = performance.now() + patienceMs;
      if (performance.now() > deadline) throw timedOut();
      left = this.#waiting.length;
      await after(retryMs);
    }
  }

  /** After a write that failed: ends the file with its last whole record, as far as it can be done. */
  cutToRecord(): void {
    this.#waiting = Buffer.alloc(0);
    if (!this.#isRegular) return;
    try {
      // Where others have written too, the place of our line is not known any more.
      if (fstatSync(this.#fd).size === this.#size) ftruncateSync(this.#fd, this.#wholeRecords);
    } catch {
      // The half line stays: readers pass over it.
    }
  }

  #writeSome(): number {
    try {
      return writeSync(this.#fd, this.#waiting);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  /** Of what waits, so many bytes have been written. What is pushed at once ends with a whole record. */
  #note(length: number): void {
    const waiting = this.#waiting;
    let last = waiting.lastIndexOf(lineEnd, length - 1);
    while (last !== -1 && waiting[last + 1] === continuation) {
      last = last === 0 ? -1 : waiting.lastIndexOf(lineEnd, last - 1);
    }
    if (last !== -1) this.#wholeRecords = this.#size + last + 1;
    this.#size += length;
  }
}

function timedOut(): Error {
  return Object.assign(new Error('ETIMEDOUT: the reader takes nothing, write'), {
    code: 'ETIMEDOUT',
  });
}

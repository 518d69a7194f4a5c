/** A file that is written while something goes on, such as a trace, so that others can follow it. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { TdctlError } from '../errors/index.ts';
import { type FileLock, takeLocks } from './lock.ts';
import { notWritable, type OutputFile, writtenByAnother } from './not-writable.ts';
import { Outlet } from './outlet.ts';
import { openSpecial } from './special-file.ts';
import { syncFile } from './sync-file.ts';
import { type FileTarget, findTarget, inodeKeyOf } from './target.ts';

/** Lines are written in blocks of this many characters. */
const blockLength = 65_536;
const retryMs = 20;

export interface StreamFileOptions extends OutputFile {
  /** What becomes of the content of a file that is there. */
  readonly existing: 'overwrite' | 'append';
  /** With `each`, a line is in the file before write() returns; with `idle`, soon after. */
  readonly flush: 'each' | 'idle';
  /** Is told once, at the first write that fails. Nothing more is written then. */
  readonly onFailure: (error: TdctlError) => void;
  /** Ends the wait for a reader of a FIFO. */
  readonly signal?: AbortSignal | undefined;
}

interface Opened {
  readonly fd: number;
  /** A descriptor that the process had before is not ours to close. */
  readonly isOurs: boolean;
  readonly lock?: FileLock;
}

/**
 * Writing neither waits nor throws, because what is recorded must not change for a full disk. After a
 * write that failed the file ends with a whole record, and `onFailure` has been told.
 */
export class StreamFile {
  readonly #options: StreamFileOptions;
  readonly #opened: Opened;
  readonly #outlet: Outlet;
  #block = '';
  #hasFailed = false;
  #isClosed = false;
  #flushIsDue = false;

  /**
   * @throws TdctlError TDCTL_E_NOT_WRITABLE; TDCTL_E_BUSY where another process is writing the file, which
   * is left alone; TDCTL_E_INTERRUPTED.
   */
  static async open(options: StreamFileOptions): Promise<StreamFile> {
    try {
      return new StreamFile(options, await open(options));
    } catch (cause) {
      throw cause instanceof TdctlError ? cause : notWritable(options, cause);
    }
  }

  private constructor(options: StreamFileOptions, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
    this.#outlet = new Outlet(opened.fd, opened);
  }

  write(line: string): void {
    this.#block += `${line}\n`;
    if (this.#options.flush === 'each' || this.#block.length >= blockLength) this.#flush();
    else this.#flushWhenIdle();
  }

  /** Writes what is not made of lines. */
  writeBytes(bytes: Buffer): void {
    this.#flush();
    this.#send(bytes);
  }

  /** Writes what is left, and closes the file. It may be called again. */
  async end(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#flush();
    const { fd, isOurs, lock } = this.#opened;
    try {
      if (!this.#hasFailed) {
        await this.#outlet.drain();
        if (this.#outlet.isRegular) syncFile(fd);
      }
    } catch (error) {
      this.#fail(error);
    }
    try {
      if (isOurs) closeSync(fd);
    } catch (error) {
      this.#fail(error);
    }
    lock?.release();
  }

  /** Lines are written when the program is idle, so that whoever follows the file sees them. */
  #flushWhenIdle(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    const flush = () => {
      this.#flushIsDue = false;
      if (!this.#isClosed) this.#flush();
    };
    if (this.#outlet.isBlocked) setTimeout(flush, retryMs).unref();
    else setImmediate(flush).unref();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#block);
    this.#block = '';
    this.#send(bytes);
  }

  #send(bytes: Buffer): void {
    if (this.#hasFailed) return;
    try {
      this.#outlet.push(bytes);
      if (this.#outlet.isBlocked) this.#flushWhenIdle();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#outlet.cutToRecord();
    this.#options.onFailure(notWritable(this.#options, cause));
  }
}

async function open(options: StreamFileOptions): Promise<Opened> {
  const target = findTarget(options.path);
  if (target.kind === 'descriptor') return { fd: target.fd, isOurs: false };
  if (target.kind === 'file') return await openLocked(options, target);
  return { fd: await openSpecial(options, { signal: options.signal, ...target }), isOurs: true };
}

const { O_WRONLY, O_CREAT, O_APPEND } = constants;

/** The file is emptied only when it is known that nobody else is writing it. */
async function openLocked(options: StreamFileOptions, target: FileTarget): Promise<Opened> {
  const name = await takeLocks([target.nameKey]);
  if (name === undefined) throw writtenByAnother(options);
  let fd: number | undefined;
  try {
    const appends = options.existing === 'append';
    fd = openSync(target.path, O_WRONLY | O_CREAT | (appends ? O_APPEND : 0), 0o666);
    const inode = await takeLocks([inodeKeyOf(fstatSync(fd, { bigint: true }))]);
    if (inode === undefined) throw writtenByAnother(options);
    if (!appends) ftruncateSync(fd);
    const release = () => {
      name.release();
      inode.release();
    };
    return { fd, isOurs: true, lock: { release } };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    name.release();
    throw error;
  }
}

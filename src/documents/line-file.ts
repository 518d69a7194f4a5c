/** A file that is written line by line while something runs, such as a trace. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';

/** Lines are written in blocks of this many characters. */
const blockLength = 65_536;

export interface LineFileOptions {
  readonly path: string;
  /** What the lines are, in a word: `trace`. */
  readonly what: string;
}

/**
 * An existing file is overwritten. Writing neither waits nor throws, because what is traced must
 * not change for a full disk; `end()` tells of failures.
 */
export class LineFile {
  readonly #options: LineFileOptions;
  readonly #fd: number;
  #block = '';
  #failure: unknown;
  #flushIsDue = false;

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  constructor(options: LineFileOptions) {
    this.#options = options;
    this.#fd = openForWriting(options);
  }

  write(line: string): void {
    this.#block += `${line}\n`;
    if (this.#block.length >= blockLength) this.#flush();
    else this.#flushWhenIdle();
  }

  /**
   * Writes what is left, and closes the file.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE if anything could not be written.
   */
  end(): void {
    this.#flush();
    closeSync(this.#fd);
    if (this.#failure === undefined) return;
    const { path, what } = this.#options;
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: `write the ${what}`,
      place: sanitize(path),
      message: `the ${what} file is not complete: writing to it failed`,
      hint: 'see whether the disk is full: `df -h`',
      cause: this.#failure,
    });
  }

  /** Lines are written when the program is idle, so that whoever follows the file sees them. */
  #flushWhenIdle(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(() => {
      this.#flushIsDue = false;
      this.#flush();
    }).unref();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#block);
    this.#block = '';
    if (this.#failure !== undefined) return;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#failure = error;
    }
  }
}

function openForWriting({ path, what }: LineFileOptions): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: `write the ${what}`,
      place: sanitize(path),
      message: `the ${what} file cannot be opened for writing`,
      hint: 'name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}

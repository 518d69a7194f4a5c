/** stdout and stderr, which may be full disks and pipes without a reader. */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { errnoOf } from '../../errors/errno.ts';
import { notWritable } from '../../files/not-writable.ts';
import type { Losses } from './losses.ts';

interface OutputOptions {
  readonly name: 'stdout' | 'stderr';
  readonly losses: Losses;
}

/**
 * Node's own stream of a file takes it for success when a disk that fills up has taken a part
 * (SyncWriteStream in lib/internal/fs/sync_write_stream.js), so files are written here.
 */
export function outputStream(stream: Writable & { readonly fd: number }): Writable {
  return isFile(stream.fd) ? new FileOutput(stream.fd) : stream;
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

class FileOutput extends Writable {
  readonly #fd: number;

  constructor(fd: number) {
    super({ autoDestroy: false });
    this.#fd = fd;
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

export class ProcessOutput {
  readonly #stream: Writable;
  readonly #options: OutputOptions;
  #isBroken = false;
  /** Writes that are under way; a pipe takes them later, when its reader is slow. */
  #pending = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(stream: Writable, options: OutputOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('error', (error) => this.#broke(error));
  }

  get isBehind(): boolean {
    return !this.#isBroken && this.#stream.writableNeedDrain;
  }

  write(text: string | Uint8Array): void {
    if (this.#isBroken) return;
    this.#pending += 1;
    try {
      this.#stream.write(text, (error) => {
        if (error) this.#broke(error);
        this.#pending -= 1;
        this.#wake();
      });
    } catch (error) {
      // A file is written at once, and some versions of Node throw what it answers.
      this.#broke(error);
    }
  }

  /** Resolves when all is written, or nothing more can be. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#wake();
    });
  }

  #broke(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { name, losses } = this.#options;
    if (errnoOf(error) === 'EPIPE') losses.readerWent();
    else losses.add(notWritable({ path: name, what: 'output' }, error));
    this.#wake();
  }

  #wake(): void {
    if (this.#pending > 0 && !this.#isBroken) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** stdout and stderr, which may be full disks and pipes without a reader. */
import type { Writable } from 'node:stream';
import { errnoOf } from '../../errors/errno.ts';
import { notWritable } from '../../files/not-writable.ts';
import type { Losses } from './losses.ts';

interface OutputOptions {
  readonly name: 'stdout' | 'stderr';
  readonly losses: Losses;
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

  write(text: string): void {
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

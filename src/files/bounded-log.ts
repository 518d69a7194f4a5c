/** A file that another program writes to by an fd of its own, and that is kept short whatever that program does. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { notWritable, type OutputFile } from './not-writable.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC } = constants;

export interface BoundedLogOptions {
  /** As much stays of one that has become too long. */
  readonly keptBytes: number;
  readonly mostBytes: number;
  /** Whether it begins anew. */
  readonly isNew: boolean;
}

export class BoundedLog {
  /** To be handed on: what is written to it goes to the end. */
  readonly fd: number;
  readonly #options: BoundedLogOptions;

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  constructor(file: OutputFile, options: BoundedLogOptions) {
    this.#options = options;
    const flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | (options.isNew ? O_TRUNC : 0);
    try {
      this.fd = openSync(file.path, flags, 0o600);
    } catch (cause) {
      throw notWritable(file, cause);
    }
  }

  /** The end of it. */
  tail(mostBytes = this.#options.keptBytes): Buffer {
    const { size } = fstatSync(this.fd);
    const bytes = Buffer.alloc(Math.min(size, mostBytes));
    const length = readSync(this.fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, length);
  }

  /** Cuts off the beginning where it is too long. What is written at this very moment may be lost. */
  bound(): void {
    if (fstatSync(this.fd).size <= this.#options.mostBytes) return;
    const kept = this.tail();
    ftruncateSync(this.fd, 0);
    writeSync(this.fd, kept);
  }

  close(): void {
    closeSync(this.fd);
  }
}

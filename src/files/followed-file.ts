/** A file that another program appends to: what is new in it, and its beginning put aside where it has become long. */
import {
  closeSync,
  constants,
  copyFileSync,
  type FSWatcher,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  watch,
} from 'node:fs';
import { notWritable, type OutputFile } from './not-writable.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
const pieceBytes = 64 * 1024;

export class FollowedFile {
  readonly #file: OutputFile;
  readonly #fd: number;
  #watcher: FSWatcher | undefined;
  #size: number;

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  constructor(file: OutputFile, from: 'start' | 'end') {
    this.#file = file;
    try {
      this.#fd = openSync(file.path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
      this.#size = from === 'end' ? fstatSync(this.#fd).size : 0;
    } catch (cause) {
      throw notWritable(file, cause);
    }
  }

  /** How much of it is known. */
  get size(): number {
    return this.#size;
  }

  watch(onChange: () => void): void {
    this.#watcher = watch(this.#file.path, { persistent: false }, onChange);
    // Where the kernel has no watch left, what is new is told when somebody looks.
    this.#watcher.on('error', () => undefined);
  }

  /** What was appended since, piece by piece. */
  *news(): Generator<Buffer> {
    const { size } = fstatSync(this.#fd);
    // Somebody else has cut it.
    if (size < this.#size) this.#size = 0;
    while (this.#size < size) {
      const piece = Buffer.alloc(Math.min(pieceBytes, size - this.#size));
      const length = readSync(this.#fd, piece, 0, piece.length, this.#size);
      if (length === 0) return;
      this.#size += length;
      yield piece.subarray(0, length);
    }
  }

  /**
   * The content becomes that of `PATH.1`, in place of the one before, and the file is empty. It stays the same file,
   * as its writer has it open; what is written at this very moment may be lost.
   */
  putAside(): void {
    copyFileSync(this.#file.path, `${this.#file.path}.1`);
    ftruncateSync(this.#fd, 0);
    this.#size = 0;
  }

  close(): void {
    this.#watcher?.close();
    closeSync(this.#fd);
  }
}

/** Files that stay the same file while what they say changes, as those of /proc and /sys do: they may be mounted elsewhere. */
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { notWritable, type OutputFile } from './not-writable.ts';
import { makePrivateDirectory } from './private-directory.ts';

export class LiveFile {
  readonly #fd: number;
  #bytes = 0;

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  constructor(file: OutputFile, content: string) {
    const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
    try {
      makePrivateDirectory(dirname(file.path));
      this.#fd = openSync(file.path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
      this.write(content);
    } catch (cause) {
      throw notWritable(file, cause);
    }
  }

  /** Whoever reads in between may find what was there before behind a shorter text. @throws the error of the system call. */
  write(content: string): void {
    const bytes = Buffer.from(content);
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
    if (bytes.length < this.#bytes) ftruncateSync(this.#fd, bytes.length);
    this.#bytes = bytes.length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * The files that one command reads and writes. An output onto an input would destroy it, and of two
 * outputs into one file one would be lost, so both are refused before anything is opened for writing.
 * Files are told apart by device and inode, so that links do not deceive; those that are not there yet
 * by their directory and name.
 */
import { statSync } from 'node:fs';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { findTarget, inodeKeyOf } from './target.ts';

export interface NamedFile {
  readonly path: string;
  /** Where it was named: `--trace`, `<spec>`, or `firmware of td.yaml`. */
  readonly by: string;
}

export class NamedFiles {
  readonly #inputs = new Map<string, NamedFile>();
  readonly #outputs = new Map<string, NamedFile>();

  /** @throws TdctlError TDCTL_E_USAGE where an output of the command is this file. */
  reads(...files: readonly NamedFile[]): void {
    for (const file of files) {
      const key = inputKey(file.path);
      if (key === undefined) continue;
      this.#inputs.set(key, file);
      const output = this.#outputs.get(key);
      if (output !== undefined) throw wouldDestroy(output, file);
    }
  }

  /** @throws TdctlError TDCTL_E_USAGE where the command reads this file, or writes it already. */
  writes(...files: readonly NamedFile[]): void {
    for (const file of files) {
      for (const key of outputKeys(file.path)) {
        const input = this.#inputs.get(key);
        if (input !== undefined) throw wouldDestroy(file, input);
        const other = this.#outputs.get(key);
        if (other !== undefined) throw writtenTwice(file, other);
        this.#outputs.set(key, file);
      }
    }
  }
}

/** Only a regular file can be lost. What cannot be looked at is told by whoever reads it. */
function inputKey(path: string): string | undefined {
  try {
    const stats = statSync(path, { bigint: true });
    return stats.isFile() ? inodeKeyOf(stats) : undefined;
  } catch {
    return undefined;
  }
}

/** What is written to a device, a pipe or an open descriptor replaces nothing. */
function outputKeys(path: string): readonly string[] {
  try {
    const target = findTarget(path);
    if (target.kind !== 'file') return [];
    return [target.nameKey, target.inodeKey].filter((key) => key !== undefined);
  } catch {
    return [];
  }
}

function wouldDestroy(output: NamedFile, input: NamedFile): TdctlError {
  return clash(output, `this file is read as well (${input.by}), and writing would destroy it`);
}

function writtenTwice(output: NamedFile, other: NamedFile): TdctlError {
  return clash(
    output,
    `this file is written as well (${other.by}), and one of the two would be lost`,
  );
}

function clash({ path, by }: NamedFile, message: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'look at the files that are named',
    place: sanitize(`${by} ${path}`),
    message: sanitize(message),
    hint: 'name another file',
  });
}

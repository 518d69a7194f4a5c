import { closeSync } from 'node:fs';
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { sanitize } from '../../errors/sanitize.ts';
import { openForProgram } from '../../files/index.ts';
import type { VmmFile } from './command.ts';

export interface OpenedFiles {
  /** What follows stdin, stdout and stderr in `stdio` of spawn(), so that each has its number in the program. */
  readonly fds: readonly number[];
  close(): void;
}

/** @throws TdctlError TDCTL_E_DEVICE for the first that cannot be opened, and none is open then. */
export function openFiles(files: readonly VmmFile[]): OpenedFiles {
  const fds: number[] = [];
  const close = () => {
    for (const fd of fds.splice(0)) closeSync(fd);
  };
  for (const { path, access } of files) {
    try {
      fds.push(openForProgram(path, access));
    } catch (error) {
      close();
      throw cannotOpen(path, error);
    }
  }
  return { fds, close };
}

function cannotOpen(path: string, cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_DEVICE',
    op: 'open the files of the TD',
    place: sanitize(path),
    message: `a file that the TD needs cannot be opened (${errnoOf(cause) ?? 'no errno'})`,
    hint: '`tdctl plan` says which field names it, and what is in the way',
    cause,
  });
}

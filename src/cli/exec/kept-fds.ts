/** Fds that a command gets besides its standard streams. */
import { fstatSync } from 'node:fs';
import { TdctlError } from '../../errors/index.ts';

/** Node itself opens none before those that it was given. */
const firstOfCaller = 3;

/** @param given to `--fd`. @throws TdctlError TDCTL_E_USAGE for what is none that this process was given. */
export function keptFds(given: readonly string[] = []): number[] {
  return given.map((text) => {
    const fd = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (fd >= firstOfCaller && isOpen(fd)) return fd;
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'pass an open file to a command',
      place: `--fd ${text}`,
      message:
        fd < firstOfCaller
          ? 'the standard streams are passed anyway'
          : 'there is no open file of that number',
      hint: 'open it for tdctl first, as a shell does: tdctl exec --fd 5 … 5<FILE',
    });
  });
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

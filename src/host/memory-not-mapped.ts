import { TdctlError } from '../errors/index.ts';

/** What every host throws when mmap() fails. */
export function memoryNotMapped(errno: string, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_IOCTL',
    op: 'map memory',
    message: `the memory of the TD could not be mapped (${errno})`,
    hint: 'give the TD less memory (spec.memory), or raise the limit: `ulimit -v`',
    cause,
  });
}

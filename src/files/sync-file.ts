import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs';
import { errnoOf } from '../errors/errno.ts';

/** Puts the file on the disk. Some file systems in user space have no such call. @throws its other errors. */
export function syncFile(fd: number): void {
  whereThereIsSuchACall(() => fsyncSync(fd));
}

/** Puts its content and its length on the disk, and not the time of the change. @throws as above. */
export function syncData(fd: number): void {
  whereThereIsSuchACall(() => fdatasyncSync(fd));
}

function whereThereIsSuchACall(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!['EINVAL', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP'].includes(errnoOf(error) ?? '')) throw error;
  }
}

/** The name of a file is on the disk only with its directory. The file is whole already, so this may fail. */
export function syncDirectory(path: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    fsyncSync(fd);
  } catch {
    // A power cut may still bring the old file back, whole.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

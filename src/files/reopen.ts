import { closeSync, openSync } from 'node:fs';

/**
 * Makes `fd` the end of another file, for a process that has begun to print elsewhere: what Node itself prints, also as
 * its last words, goes there. Nobody else may open a file at this moment, because the kernel gives the lowest number
 * that is free. @throws the error of the system call.
 */
export function reopenToAppend(fd: number, path: string): void {
  closeSync(fd);
  const opened = openSync(path, 'a', 0o600);
  if (opened !== fd) throw new Error(`fd ${fd} was taken by another file meanwhile`);
}

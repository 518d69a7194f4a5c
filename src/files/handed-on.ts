/** Files that are opened for another program, which gets the fd and not the path. */
import { constants, openSync } from 'node:fs';

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;

const flagsOf = {
  read: O_RDONLY,
  readWrite: O_RDWR,
  append: O_WRONLY | O_APPEND | O_CREAT,
} as const;

/** @throws the error of the system call. */
export function openToHandOn(path: string, access: keyof typeof flagsOf): number {
  return openSync(path, flagsOf[access], 0o600);
}

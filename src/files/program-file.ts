/** Files that another program gets as fds: it writes to them, and we only open them. */
import { constants, openSync } from 'node:fs';

export type ProgramAccess = 'read' | 'readWrite' | 'append';

const flags: Readonly<Record<ProgramAccess, number>> = {
  read: constants.O_RDONLY,
  readWrite: constants.O_RDWR,
  append: constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT,
};

/**
 * Nothing is made but a log, which nobody else may read. The fd is closed where a program is started that it is not
 * handed to.
 *
 * @throws the error of the system call.
 */
export function openForProgram(path: string, access: ProgramAccess): number {
  return openSync(path, flags[access] | constants.O_NOCTTY, 0o600);
}

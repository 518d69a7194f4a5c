import { errnoOf } from '../errors/errno.ts';

/** Sends a signal to a process that may have ended. @throws the error of the system call. */
export function signal(pid: number, which: NodeJS.Signals): void {
  try {
    process.kill(pid, which);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

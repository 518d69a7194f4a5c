/** Other processes, by what /proc says of them. */
import { readdirSync, readFileSync } from 'node:fs';

/** The fields of /proc/PID/stat after the name; undefined: there is no such process. */
export function stat(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .trim()
      .split(' ');
  } catch {
    return undefined;
  }
}

/** The process is not there, or nobody has asked how it ended. */
export const hasEnded = (pid: number) => (stat(pid)?.[0] ?? 'Z') === 'Z';

/** Those that were started with this in their environment, such as `NAME=value`. */
export function processesWith(variable: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid !== process.pid && Number.isInteger(pid))
    .filter((pid) => environment(pid).includes(variable));
}

function environment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // It has ended, or is somebody else's.
    return [];
  }
}

/** SIGKILL for those that have not ended. */
export function endAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** The test's own timeout is the bound. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

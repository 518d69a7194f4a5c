/** How commands end, and signals by name and number. Node has no names for the real-time ones. */
import { constants } from 'node:os';

/** Of glibc, which keeps the kernel's first two for itself. */
const firstRealTime = 34;
const lastRealTime = 64;

/** As `kill -l` and strace name them: `SIGTERM`, `SIGRTMIN+3`. */
export function signalName(number: number): string {
  const named = Object.entries(constants.signals).find(([, value]) => value === number);
  if (named !== undefined) return named[0];
  if (number < firstRealTime || number > lastRealTime) return `SIG${number}`;
  return number === firstRealTime ? 'SIGRTMIN' : `SIGRTMIN+${number - firstRealTime}`;
}

export type CommandExit =
  | { readonly how: 'code'; readonly status: number }
  /** `status` is the signal's number. */
  | { readonly how: 'signal'; readonly status: number; readonly signal: string };

export function exitOf(how: CommandExit['how'], status: number): CommandExit {
  return how === 'code' ? { how, status } : { how, status, signal: signalName(status) };
}

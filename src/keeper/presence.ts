/** Whether the process that keeps a TD is there, told by /proc alone: it is not asked, and nothing is locked. */
import type { KeeperIdentity } from './identity.ts';
import { pidNamespace } from './identity.ts';
import { bootId } from './moment.ts';
import { readProcess } from './process-stat.ts';

/** The words are for the docs. */
export const presences = {
  lives: 'the process is there',
  stopped: 'the process is there, and a signal has stopped it (SIGSTOP)',
  exiting: 'the process is ending: the kernel has not closed all that it held',
  gone: 'there is no such process any more',
  recycled: 'another process has its number',
  rebooted: 'it was before the last boot',
  elsewhere: 'its number is one of another PID namespace, and tells nothing here',
} as const;

export type Presence = keyof typeof presences;

/** Where one looks from. It is read once for many. */
export interface Vantage {
  readonly bootId: string;
  readonly pidNamespace: string;
  /** Numbers of the processes that there are, where they were listed. */
  readonly pids?: ReadonlySet<string> | undefined;
}

export function vantage(): Vantage {
  return { bootId: bootId(), pidNamespace: pidNamespace() };
}

export type Process = Pick<KeeperIdentity, 'pid' | 'startTime' | 'bootId' | 'pidNamespace'>;

export function presenceOf(process: Process, from: Vantage): Presence {
  if (process.bootId !== from.bootId) return 'rebooted';
  if (process.pidNamespace !== from.pidNamespace) return 'elsewhere';
  const isThere = from.pids?.has(String(process.pid)) ?? true;
  const found = isThere ? readProcess(process.pid) : undefined;
  if (found === undefined) return 'gone';
  if (found.startTime !== process.startTime) return 'recycled';
  // A leader that has ended waits to be reaped, and its other threads may still be closing files.
  if (found.state === 'Z' || found.state === 'X') return found.threads > 1 ? 'exiting' : 'gone';
  if (found.isExiting) return 'exiting';
  return found.state === 'T' ? 'stopped' : 'lives';
}

/** Whether it can do something yet. */
export function canAct(process: Process): boolean {
  return ['lives', 'stopped'].includes(presenceOf(process, vantage()));
}

/** Whether it is there, or the kernel has not closed all that it held. */
export function isThere(process: Process, from = vantage()): boolean {
  return ['lives', 'stopped', 'exiting'].includes(presenceOf(process, from));
}

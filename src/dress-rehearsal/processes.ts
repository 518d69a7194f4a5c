/** Processes of a rehearsal: whether they are there, and their end by SIGKILL. */
import { setTimeout as delay } from 'node:timers/promises';
import { isThere, type Process, presenceOf, vantage } from '../keeper/presence.ts';
import { signal } from '../keeper/signal.ts';

export function isStopped(process: Process): boolean {
  return presenceOf(process, vantage()) === 'stopped';
}

/** Resolves once it does nothing more: it stands still, or is gone. */
export async function holdProcess(process: Process): Promise<void> {
  signal(process.pid, 'SIGSTOP');
  while (isThere(process) && !isStopped(process)) await delay(1);
}

/** Resolves once it is gone, and all that it had open is closed. */
export async function endProcess(process: Process): Promise<void> {
  while (isThere(process)) {
    signal(process.pid, 'SIGKILL');
    await delay(1);
  }
}

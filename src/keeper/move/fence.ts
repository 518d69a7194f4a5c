/** Ends another process for sure, and waits until nothing is left of it that could act. */
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../errors/errno.ts';
import type { ProcessIdentity } from '../identity.ts';
import { presenceOf, vantage } from '../presence.ts';

const lookEveryMs = 5;

export async function fence(process_: ProcessIdentity): Promise<void> {
  const isThere = () => ['lives', 'stopped'].includes(presenceOf(process_, vantage()));
  if (!isThere()) return;
  try {
    process.kill(process_.pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
  while (isThere()) await delay(lookEveryMs);
}

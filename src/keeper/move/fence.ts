/** Ends another process for sure, and waits until nothing is left of it that could act. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessIdentity } from '../identity.ts';
import { canAct } from '../presence.ts';
import { readProcess } from '../process-stat.ts';
import { signal } from '../signal.ts';

const lookEveryMs = 5;

export async function fence(process_: ProcessIdentity): Promise<void> {
  if (!canAct(process_)) return;
  signal(process_.pid, 'SIGKILL');
  while (canAct(process_)) await delay(lookEveryMs);
}

/**
 * Ends it where that is right at a moment at which it does nothing: it is held still (SIGSTOP) while that is asked, so
 * that nothing comes between the answer and its end. Where it is not ended it goes on, unless it stood still before.
 *
 * @param isRight is asked once all that the process has sent is heard.
 * @returns whether it is gone.
 */
export async function fenceIf(
  process_: ProcessIdentity,
  isRight: () => Promise<boolean>,
): Promise<boolean> {
  const stoodStill = standsStill(process_);
  for (;;) {
    signal(process_.pid, 'SIGSTOP');
    while (canAct(process_) && !standsStill(process_)) await delay(lookEveryMs);
    // What was sent before is in the sockets by now: a whole turn of the event loop has looked at each of them.
    for (let turn = 0; turn < 2; turn += 1) await nextTurn();
    const isDue = await isRight();
    if (!canAct(process_)) return true;
    // Somebody else may have let it go on meanwhile.
    if (isDue && !standsStill(process_)) continue;
    if (isDue) await fence(process_);
    else if (!stoodStill) signal(process_.pid, 'SIGCONT');
    return isDue;
  }
}

/** The time that its main thread has had a CPU for; undefined where the kernel does not tell. */
export function cpuTimeNs({ pid }: Pick<ProcessIdentity, 'pid'>): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return undefined;
  }
}

/** All threads of it: a signal stops each as soon as it comes out of the kernel. */
function standsStill({ pid }: ProcessIdentity): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every((thread) => readProcess(Number(thread))?.state === 'T');
  } catch {
    return false;
  }
}

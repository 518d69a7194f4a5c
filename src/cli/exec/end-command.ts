/** From a running command to its end, with the signals that tdctl gets meanwhile. */
import type { CommandExit, Failure, RunningCommand } from '../../exec/index.ts';
import { type Interrupts, isSignal } from '../interrupts.ts';
import { descendants, statFields } from './descendants.ts';

/** At this signal nothing is asked any more. */
const patience = 3;
/** What a stopped command left running has so long to end by itself. */
const graceMs = 2000;

/**
 * Waits until the command and all that it started are gone. A signal goes on to the command; once
 * that has ended, what is left of its processes is ended too. The third signal kills them all.
 */
export async function endCommand(
  running: RunningCommand,
  interrupts: Interrupts,
): Promise<{ readonly exit: CommandExit; readonly failure: Failure | undefined }> {
  let stopped = false;
  const stop = (times: number, reason: string) => {
    // What tdctl cannot write is not the command's fault: its calls are answered as before.
    if (!isSignal(reason)) return;
    stopped = true;
    if (times >= patience) running.endAll();
    else if (!cameFromTerminal(reason)) running.signal(reason);
  };
  interrupts.onInterrupt(stop);
  if (interrupts.received !== undefined) stop(1, interrupts.received);
  const [exit, failure] = await Promise.all([
    running.exited.then((how) => {
      if (stopped) endTheRest(running);
      interrupts.onInterrupt((_, reason) => isSignal(reason) && endTheRest(running));
      return how;
    }),
    running.ended,
  ]);
  return { exit, failure };
}

function endTheRest(running: RunningCommand): void {
  // The guard among them takes no signal.
  for (const pid of descendants(process.pid)) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // The process has ended by itself.
    }
  }
  setTimeout(() => running.endAll(), graceMs).unref();
}

/**
 * A Ctrl-C goes to every process of the terminal's foreground group, so the command has it already.
 * Fields 5 and 8 of /proc/self/stat are the process group and the terminal's foreground group.
 */
function cameFromTerminal(signal: string): boolean {
  if (signal !== 'SIGINT') return false;
  const [, , group, , , foreground] = statFields('self');
  return group === foreground;
}

/** From a running command to its end, with the signals that tdctl gets meanwhile. */
import type { CommandExit, RunningCommand } from '../../exec/index.ts';
import type { Interrupts } from '../interrupts.ts';
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
): Promise<CommandExit> {
  let stopped = false;
  const stop = (times: number, reason: string) => {
    // The command's stdout is its own matter.
    if (reason === 'EPIPE') return;
    stopped = true;
    if (times >= patience) running.endAll();
    else if (!cameFromTerminal(reason)) running.signal(reason as NodeJS.Signals);
  };
  interrupts.onInterrupt(stop);
  if (interrupts.received !== undefined) stop(1, interrupts.received);
  const [exit] = await Promise.all([
    running.exited.then((how) => {
      if (stopped) endTheRest(running);
      interrupts.onInterrupt(() => endTheRest(running));
      return how;
    }),
    running.ended,
  ]);
  return exit;
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

/** A process as /proc/PID/stat tells it (proc_pid_stat(5)). */
import { readFileSync } from 'node:fs';

export interface ProcessStat {
  /** One letter: R, S, D, T (stopped by a signal), t (by a tracer), Z, X, I. */
  readonly state: string;
  /** It is on its way out: PF_EXITING of include/linux/sched.h. */
  readonly isExiting: boolean;
  /** Those that have not ended. A leader that has ended is one of them until it is reaped. */
  readonly threads: number;
  /** Field 22, in clock ticks since boot, as it stands there. */
  readonly startTime: string;
}

const exitingFlag = 0x4;

/** @returns undefined where there is no such process, or it may not be seen. */
export function readProcess(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    // Node reads text of this encoding in one go; a name may have bytes that are no such text, and is not looked at.
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name is the second field, and may have spaces and parentheses. The fields count from 3 after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', flags = '', threads = '', startTime = ''] = [3, 9, 20, 22].map(
    (field) => fields[field - 3],
  );
  return {
    state,
    isExiting: (Number(flags) & exitingFlag) !== 0,
    threads: Number(threads),
    startTime: startTime.trim(),
  };
}

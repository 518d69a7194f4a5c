/** Whether a process that says nothing does nothing either: one that is only slow is given more time, though not any. */
import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../identity.ts';
import { presenceOf, vantage } from '../presence.ts';

/** One that is at work each time may be at it for ever. */
const mostLooks = 5;

export class Standstill {
  readonly #process: ProcessIdentity;
  #cpuTime: string | undefined;
  #looks = 0;

  constructor(process: ProcessIdentity) {
    this.#process = process;
    this.#cpuTime = cpuTimeOf(process.pid);
  }

  /** Whether it has done nothing since it was looked at before. */
  isSeen(): boolean {
    const before = this.#cpuTime;
    this.#cpuTime = cpuTimeOf(this.#process.pid);
    this.#looks += 1;
    const lives = presenceOf(this.#process, vantage()) === 'lives';
    return !lives || this.#cpuTime === before || this.#looks >= mostLooks;
  }
}

/** Nanoseconds of its first thread, in which JavaScript runs (Documentation/scheduler/sched-stats.rst). */
function cpuTimeOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ', 1)[0];
  } catch {
    return undefined;
  }
}

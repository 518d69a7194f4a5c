/** Faults of a machine that runs: more of them may be asked for at any time, and count from then on. */
import {
  type FaultInjector,
  type FaultRecord,
  injectorOf,
  type RecordedFaults,
} from '../../simulator/index.ts';

export class LaterFaults implements FaultInjector {
  #asked: RecordedFaults[] = [];

  add(records: readonly FaultRecord[]): void {
    this.#asked.push(injectorOf(records));
  }

  /** Takes back all that have been asked for. What they did stays done. */
  clear(): void {
    this.#asked = [];
  }

  /** Those that no call has come to yet. */
  unmet(): FaultRecord[] {
    return this.#asked.flatMap((each) => each.unmet());
  }

  // Each of them is asked even where one before has answered: all count their calls.
  beforeIoctl(...call: Parameters<NonNullable<FaultInjector['beforeIoctl']>>) {
    return first(this.#asked.map((each) => each.beforeIoctl?.(...call)));
  }

  errnoAt(...point: Parameters<NonNullable<FaultInjector['errnoAt']>>) {
    return first(this.#asked.map((each) => each.errnoAt?.(...point)));
  }

  statusOf(...leaf: Parameters<NonNullable<FaultInjector['statusOf']>>) {
    return first(this.#asked.map((each) => each.statusOf?.(...leaf)));
  }

  signalBeforePage(page: number): boolean {
    return this.#asked.map((each) => each.signalBeforePage?.(page)).some((pending) => pending);
  }
}

function first<Value>(answers: readonly (Value | undefined)[]): Value | undefined {
  return answers.find((answer) => answer !== undefined);
}

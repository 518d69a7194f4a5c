/**
 * A guest that asks in every way to be turned off, and is started again all the same, would go on for ever:
 * the VMM takes its triple fault for a reset. So after some times the VMM itself is asked to end.
 */
import { exitReasons } from '../abi/kvm/exits.ts';
import { exitReasonIn } from './codec/index.ts';
import type { AnsweredCall, CallListener } from './dispatcher.ts';

/** A program that runs several guests one after the other is no such VMM. */
const mostShutdowns = 32;

export class ResetWatch implements CallListener {
  readonly #shutdowns = new Map<number, number>();
  readonly #endProcess: (pid: number) => void;

  /** @param endProcess is called once for a process. */
  constructor(endProcess: (pid: number) => void) {
    this.#endProcess = endProcess;
  }

  called({ request, answer, delivered, file, thread }: AnsweredCall): void {
    if (request.request !== 'KVM_RUN' || !answer.ok || !delivered) return;
    const { runPage } = file;
    if (runPage === undefined || exitReasonIn(runPage) !== exitReasons.KVM_EXIT_SHUTDOWN) return;
    const times = (this.#shutdowns.get(thread.pid) ?? 0) + 1;
    this.#shutdowns.set(thread.pid, times);
    if (times === mostShutdowns) this.#endProcess(thread.pid);
  }

  opened(): void {}
  closed(): void {}
  unserved(): void {}
}

/**
 * Answers that came too late. seccomp lets a signal end the wait for any answer, where the kernel's
 * own ioctl would have gone on to its end; the thread then makes the call anew (SA_RESTART, or a
 * loop on EINTR). What was done is not done twice: the same call gets the answer that was lost, and
 * with it what the kernel would have written to the caller's memory.
 */
import type { Answer, Request, RunRequest } from '../simulator/index.ts';
import type { ProgramFile } from './program-files.ts';
import type { TrappedCall } from './trapped-call.ts';

export interface LostAnswer {
  readonly call: TrappedCall;
  readonly request: Request;
  readonly answer: Answer;
  /** Of the pages that went into a TD. */
  readonly content: string | undefined;
}

interface Kept {
  readonly lost: LostAnswer;
  /** The argument's struct as the call left it: with another content it is another call. */
  readonly struct: Uint8Array | undefined;
}

export class LostAnswers {
  readonly #byThread = new Map<number, Kept>();

  keep(lost: LostAnswer): void {
    this.#byThread.set(lost.call.thread.tid, { lost, struct: lost.call.peekStruct() });
  }

  /** The answer of the call that this one repeats. Asked of each next call of a thread. */
  take(call: TrappedCall): LostAnswer | undefined {
    const kept = this.#byThread.get(call.thread.tid);
    if (kept === undefined) return undefined;
    this.#byThread.delete(call.thread.tid);
    return repeats(call, kept) ? kept.lost : undefined;
  }
}

/**
 * Exits that a signal kept from the VMM, which takes its EINTR for a kick and enters the vCPU again,
 * maybe from another thread: the guest has left already, and what it left for is still to be told.
 */
export class LostExits {
  readonly #byVcpu = new Map<
    ProgramFile,
    { readonly call: TrappedCall; readonly answer: Answer }
  >();

  keep(call: TrappedCall, answer: Answer): void {
    if (answer.ok || answer.errno !== 'EINTR') this.#byVcpu.set(call.file, { call, answer });
  }

  take(call: TrappedCall, { page }: RunRequest): Answer | undefined {
    const lost = this.#byVcpu.get(call.file);
    if (lost?.call.thread.addressSpace !== call.thread.addressSpace) return undefined;
    if (page.read().immediateExit) return { ok: false, errno: 'EINTR', hwError: undefined };
    this.#byVcpu.delete(call.file);
    return lost.answer;
  }

  forget(vcpu: ProgramFile): void {
    this.#byVcpu.delete(vcpu);
  }
}

function repeats(call: TrappedCall, { lost: { call: before }, struct }: Kept): boolean {
  return (
    call.file === before.file &&
    call.request === before.request &&
    call.argument === before.argument &&
    call.thread.addressSpace === before.thread.addressSpace &&
    sameBytes(call.peekStruct(), struct)
  );
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

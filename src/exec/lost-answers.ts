/**
 * Answers that came too late. seccomp lets a signal end the wait for any answer, where the kernel's
 * own ioctl would have gone on to its end; the thread then makes the call anew (SA_RESTART, or a
 * loop on EINTR). What was done is not done twice: the same call gets the answer that was lost.
 */
import type { Answer } from '../simulator/index.ts';
import type { TrappedCall } from './trapped-call.ts';

interface LostAnswer {
  readonly call: TrappedCall;
  readonly answer: Answer;
  /** The argument's struct as the call left it: with another content it is another call. */
  readonly struct: Uint8Array | undefined;
}

export class LostAnswers {
  readonly #byThread = new Map<number, LostAnswer>();

  keep(call: TrappedCall, answer: Answer): void {
    this.#byThread.set(call.thread.tid, { call, answer, struct: call.peekStruct() });
  }

  /** The answer of the call that this one repeats. Asked of each next call of a thread. */
  take(call: TrappedCall): Answer | undefined {
    const lost = this.#byThread.get(call.thread.tid);
    if (lost === undefined) return undefined;
    this.#byThread.delete(call.thread.tid);
    return repeats(call, lost) ? lost.answer : undefined;
  }
}

function repeats(call: TrappedCall, { call: before, struct }: LostAnswer): boolean {
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

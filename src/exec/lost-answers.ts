/**
 * Answers that came too late. seccomp lets a signal end the wait for any answer, where the kernel's
 * own ioctl would have gone on to its end; the thread then makes the call anew (SA_RESTART, or a
 * loop on EINTR). What was done is not done twice: the same call gets the answer that was lost, and
 * with it what could not be written to its memory any more.
 */
import type { Answer } from '../simulator/index.ts';
import type { LateWrite, TrappedCall } from './trapped-call.ts';

interface LostAnswer {
  readonly call: TrappedCall;
  readonly answer: Answer;
  /** The argument's struct as the call left it: with another content it is another call. */
  readonly struct: Uint8Array | undefined;
  readonly writes: readonly LateWrite[];
}

export class LostAnswers {
  readonly #byThread = new Map<number, LostAnswer>();

  keep(call: TrappedCall, answer: Answer): void {
    const lost = call.wasCutOff ? cutOff(call) : answer;
    if (lost === undefined) return;
    const { lateWrites: writes, thread } = call;
    this.#byThread.set(thread.tid, { call, answer: lost, struct: call.peekStruct(), writes });
  }

  /**
   * The answer of the call that this one repeats, whose memory then has what the call wrote. Asked of
   * each next call of a thread.
   */
  take(call: TrappedCall): Answer | undefined {
    const lost = this.#byThread.get(call.thread.tid);
    if (lost === undefined) return undefined;
    this.#byThread.delete(call.thread.tid);
    if (!repeats(call, lost)) return undefined;
    const written = lost.writes.every(({ address, bytes }) => call.memory.write(address, bytes));
    return written ? lost.answer : { ok: false, errno: 'EFAULT', hwError: undefined };
  }
}

/**
 * The EFAULT of a call that could not read on is none. Where it had done a part of its work, that is
 * the kernel's EINTR, which says how far it came; else nothing was done, and it begins anew.
 */
function cutOff({ lateWrites }: TrappedCall): Answer | undefined {
  return lateWrites.length === 0 ? undefined : { ok: false, errno: 'EINTR', hwError: undefined };
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

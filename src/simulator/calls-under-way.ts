import type { Handle, PendingAnswer } from './interface.ts';

type Call = Pick<PendingAnswer, 'cancel'>;

/** The calls that have not answered yet, by the file that they were made on. */
export class CallsUnderWay {
  readonly #calls = new Map<Handle, Set<Call>>();

  /** The function that it gives takes the call out again. */
  add(handle: Handle, call: Call): () => void {
    const calls = this.#calls.get(handle) ?? new Set();
    this.#calls.set(handle, calls.add(call));
    return () => {
      calls.delete(call);
      if (calls.size === 0) this.#calls.delete(handle);
    };
  }

  cancelAll(handle: Handle): void {
    // The first one last, because its end would let the next begin.
    for (const call of [...(this.#calls.get(handle) ?? [])].reverse()) call.cancel();
  }
}

/** As `abort()` makes one each time, with a stack that nobody sees. */
const interrupted = new DOMException('This operation was aborted', 'AbortError');

/**
 * Tells a step that its chart has left the state it works for. Most steps only look whether it has, once or
 * twice, so the AbortSignal is made when something asks for it: to make one took a tenth of a TD's life on
 * a simulated host.
 */
export class Interruption {
  #aborted = false;
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** The same as a signal, for what takes no other or is to be called at the interruption. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(interrupted);
    return this.#controller.signal;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw interrupted;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort(interrupted);
  }
}

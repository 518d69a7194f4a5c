/** Where typed bytes come from: a stream that can be told to wait. */
export interface TypingSource {
  pause(): unknown;
  resume(): unknown;
}

/** The guest says only how much it takes, and not when it takes more. */
const retryMs = 10;

/**
 * Hands to the guest what is typed at it, from one source at a time. What the guest does not take yet is kept, and
 * its source waits: nothing is lost, and no more is kept than a source sends at once.
 */
export class Typing {
  readonly #take: (bytes: Uint8Array) => number;
  #left: Uint8Array = new Uint8Array();
  #source: TypingSource | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @param take returns how many bytes the guest has taken. */
  constructor(take: (bytes: Uint8Array) => number) {
    this.#take = take;
  }

  type(bytes: Uint8Array, source: TypingSource): void {
    if (this.#isOver) return;
    this.#left = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]);
    this.#source = source;
    this.#send();
  }

  /** Nothing is handed on any more. */
  end(): void {
    this.take();
    this.#source?.resume();
  }

  /** As the end, and gives what the guest has not taken. Its source stays as it is. */
  take(): Uint8Array {
    this.#isOver = true;
    clearTimeout(this.#timer);
    const left = this.#left;
    this.#left = new Uint8Array();
    return left;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#left = this.#left.subarray(this.#take(this.#left));
    if (this.#left.length === 0) {
      this.#source?.resume();
      return;
    }
    this.#source?.pause();
    this.#timer = setTimeout(() => this.#send(), retryMs);
  }
}

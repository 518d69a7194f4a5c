/** Guests that reset as soon as they run: each of their TDs costs the host a start, so the next one waits, and longer each time. */

/** A guest that has run for so long has come up. */
const cameUpMs = 60_000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

export class Resets {
  #enteredMs: number | undefined;
  #inARow = 0;

  entered(nowMs: number): void {
    this.#enteredMs ??= nowMs;
  }

  reset(nowMs: number): void {
    // One that another keeper has begun has run for a time that nobody knows.
    const ranMs = nowMs - (this.#enteredMs ?? Number.NEGATIVE_INFINITY);
    this.#inARow = ranMs < cameUpMs ? this.#inARow + 1 : 0;
    this.#enteredMs = undefined;
  }

  get inARow(): number {
    return this.#inARow;
  }

  /** Before the next TD. The first reset is nothing unusual: an installer or a first boot ends so. */
  get pauseMs(): number {
    if (this.#inARow < 2) return 0;
    return Math.min(firstPauseMs * 2 ** (this.#inARow - 2), longestPauseMs);
  }
}

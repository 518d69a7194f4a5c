/**
 * Tells the vCPUs of a guest to come out of KVM_RUN. An AbortSignal would do, but the guest waits for it as it moves, and
 * to make one and listen to it takes as long as all else of an entry.
 */
export class Leaving {
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns a function that takes the listener off again. */
  heardBy(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  leave(): void {
    this.#isOver = true;
    for (const listener of [...this.#listeners]) listener();
  }
}

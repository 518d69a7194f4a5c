/** Those who wait get the lock in the order in which they came. */
export class Mutex {
  #holder: HeldLocks | undefined;
  readonly #waiting: { readonly locks: HeldLocks; readonly granted: () => void }[] = [];

  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  isHeldBy(locks: HeldLocks | undefined): boolean {
    return this.#holder === locks;
  }

  take(locks: HeldLocks, granted: () => void): void {
    if (this.#holder !== undefined) {
      this.#waiting.push({ locks, granted });
      return;
    }
    this.#holder = locks;
    granted();
  }

  /** Gives the lock to who waits next, or takes a call that gives up out of the queue. */
  release(locks: HeldLocks): void {
    if (this.#holder !== locks) {
      const place = this.#waiting.findIndex((each) => each.locks === locks);
      if (place >= 0) this.#waiting.splice(place, 1);
      return;
    }
    const next = this.#waiting.shift();
    this.#holder = next?.locks;
    next?.granted();
  }
}

/** The locks of one call. */
export class HeldLocks {
  readonly #taken: Mutex[] = [];

  /** Takes what it has not got yet, one after the other, and calls `granted` with all of them taken. */
  take(mutexes: readonly Mutex[], granted: () => void): void {
    const next = mutexes.find((mutex) => !mutex.isHeldBy(this));
    if (next === undefined) {
      granted();
      return;
    }
    this.#taken.push(next);
    next.take(this, () => this.take(mutexes, granted));
  }

  /** Gives back what it holds, and waits for nothing any more. */
  release(): void {
    for (const mutex of this.#taken.splice(0).reverse()) mutex.release(this);
  }
}

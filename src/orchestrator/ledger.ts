/**
 * The ledger has what a TD holds, in the order in which it was taken, so that it can be given back in
 * reverse. A resource is entered the moment it exists, not when its step is done: a step that is
 * interrupted or fails half-way has entered exactly what it made.
 */
export interface Holding {
  /** `VM fd`, `8 vCPU fds`. */
  readonly what: string;
  /** Gives the resource back. It must not depend on anything taken later, and runs once. */
  readonly release: () => Promise<void>;
}

export interface ReleaseResult {
  readonly what: string;
  readonly error?: unknown;
}

export class Ledger {
  readonly #holdings: Holding[] = [];
  #underWay: { readonly what: string; readonly ended: Promise<unknown> } | undefined;
  #waitingFor: string | undefined;

  hold(holding: Holding): void {
    this.#holdings.push(holding);
  }

  get held(): readonly string[] {
    return this.#holdings.map(({ what }) => what);
  }

  /** What `settle` or `releaseAll` is waiting for at this moment, in words. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** Remembers work that may still take resources, so that nothing is released under it. */
  track<Output>(what: string, work: Promise<Output>): Promise<Output> {
    const forget = () => {
      if (this.#underWay === underWay) this.#underWay = undefined;
    };
    const underWay = { what, ended: work.then(forget, forget) };
    this.#underWay = underWay;
    return work;
  }

  /** Resolves once the tracked work has come to rest, however it ended. */
  async settle(): Promise<void> {
    if (this.#underWay === undefined) return;
    this.#waitingFor = `the end of ${this.#underWay.what}`;
    await this.#underWay.ended;
    this.#waitingFor = undefined;
  }

  /**
   * Gives everything back, the last taken first. A failure does not keep the rest from being given
   * back.
   */
  async releaseAll(onReleased: (result: ReleaseResult) => void): Promise<void> {
    await this.settle();
    for (let holding = this.#holdings.pop(); holding; holding = this.#holdings.pop()) {
      this.#waitingFor = `the release of ${holding.what}`;
      onReleased(await releaseOne(holding));
    }
    this.#waitingFor = undefined;
  }
}

async function releaseOne({ what, release }: Holding): Promise<ReleaseResult> {
  try {
    await release();
    return { what };
  } catch (error) {
    return { what, error };
  }
}

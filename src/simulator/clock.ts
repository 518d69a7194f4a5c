/**
 * Virtual time. It moves only when something that costs time is done (costs.ts), so the same calls
 * always take the same time, and a simulated run is never slowed down by it.
 */
export class VirtualClock {
  // A number counts nanoseconds exactly for 104 days, and is much faster than a bigint.
  #nowNs = 0;

  /** Nanoseconds since the machine began to initialise its TDX module. */
  get nowNs(): number {
    return this.#nowNs;
  }

  advance(ns: number): void {
    this.#nowNs += ns;
  }
}

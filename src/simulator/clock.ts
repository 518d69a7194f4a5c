/**
 * Two kinds of time. What the work of the kernel and of the module costs is counted by a virtual clock; what
 * programs and guests can read are the clocks of the host, which may go by it or by the real time.
 */

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

/** The clocks of the host that kvmclock and the time stamp counter go by. */
export interface HostClock {
  /** Nanoseconds since the host was switched on (CLOCK_MONOTONIC_RAW, with the time it slept). */
  bootNs(): bigint;
  /** Nanoseconds since 1970 (CLOCK_REALTIME). */
  realNs(): bigint;
}

/** The simulated machines always begin at this time, in nanoseconds since 1970. */
const machineEpochNs = 1_800_000_000n * 1_000_000_000n;

/** Goes by a virtual clock: what is read depends on nothing but the calls before. */
export function virtualHostClock(clock: VirtualClock): HostClock {
  const bootNs = () => BigInt(Math.round(clock.nowNs));
  return { bootNs, realNs: () => machineEpochNs + bootNs() };
}

/** Goes as time does, for programs that compare it with clocks of their own. */
export function runningHostClock(): HostClock {
  const bootNs = () => process.hrtime.bigint();
  // Date.now() would be off by up to a millisecond.
  const nowMs = performance.timeOrigin + performance.now();
  const realAtBootNs = BigInt(Math.round(nowMs * 1e6)) - bootNs();
  return { bootNs, realNs: () => realAtBootNs + bootNs() };
}

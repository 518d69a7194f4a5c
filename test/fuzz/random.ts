/** Numbers by chance, the same for the same seed: an input can be made again from its name. */

export class Random {
  #state: number;

  /** @param name any text; its FNV-1a hash is the seed. */
  constructor(name: string) {
    let hash = 0x811c9dc5;
    for (let at = 0; at < name.length; at++) {
      hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    }
    this.#state = hash >>> 0;
  }

  /** A whole number from 0, less than 2^32 (mulberry32). */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From 0, less than `limit`. */
  below(limit: number): number {
    return this.u32() % Math.max(1, limit);
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32());
  }
}

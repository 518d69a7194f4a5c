import { type KeyIdSplit, keyIdRange } from '../platform.ts';

/** The kernel keeps its own pool of guest key IDs (an IDA), and gives out the lowest free one. */
export class KeyIdPool {
  readonly total: number;
  readonly #first: number;
  readonly #taken: boolean[] = [];
  #lowestMaybeFree = 0;
  #used = 0;

  constructor(split: KeyIdSplit) {
    const { firstGuest, guests } = keyIdRange(split);
    this.#first = firstGuest;
    this.total = guests;
  }

  get used(): number {
    return this.#used;
  }

  isUsed(hkid: number): boolean {
    return this.#taken[hkid - this.#first] === true;
  }

  /** Returns undefined when the pool is empty (ENOSPC). */
  allocate(): number | undefined {
    for (let i = this.#lowestMaybeFree; i < this.total; i++) {
      if (this.#taken[i] === true) continue;
      this.#taken[i] = true;
      this.#lowestMaybeFree = i + 1;
      this.#used++;
      return this.#first + i;
    }
    return undefined;
  }

  free(hkid: number): void {
    const i = hkid - this.#first;
    this.#taken[i] = false;
    this.#lowestMaybeFree = Math.min(this.#lowestMaybeFree, i);
    this.#used--;
  }
}

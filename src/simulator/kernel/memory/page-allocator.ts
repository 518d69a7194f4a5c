import { type Hpa, pageSize } from '../../module/addresses.ts';

/**
 * The host's free pages are counted here. Only control pages and added guest pages are taken from them;
 * guest RAM is not.
 */
export class PageAllocator {
  readonly #total: number;
  readonly #freed: Hpa[] = [];
  #next: number;
  #leaked = 0;

  constructor(memoryBytes: bigint) {
    this.#total = Number(memoryBytes / BigInt(pageSize));
    // Page 0 stays unused, so that no address is 0.
    this.#next = 1;
  }

  /** Returns undefined when there is no memory (ENOMEM). */
  allocate(): Hpa | undefined {
    const freed = this.#freed.pop();
    if (freed !== undefined) return freed;
    if (this.#next >= this.#total) return undefined;
    return this.#next++ * pageSize;
  }

  /** Returns `count` pages, or none at all when there are fewer. */
  allocateMany(count: number): Hpa[] | undefined {
    const pages: Hpa[] = [];
    for (let i = 0; i < count; i++) {
      const page = this.allocate();
      if (page === undefined) {
        for (const taken of pages) this.free(taken);
        return undefined;
      }
      pages.push(page);
    }
    return pages;
  }

  free(page: Hpa): void {
    this.#freed.push(page);
  }

  /**
   * Counts pages that are lost until the machine restarts, because the module would not give them back.
   */
  leak(count = 1): void {
    this.#leaked += count;
  }

  get counts(): { readonly inUse: number; readonly leaked: number } {
    return { inUse: this.#next - 1 - this.#freed.length - this.#leaked, leaked: this.#leaked };
  }
}

import { type Hpa, pageSize } from '../../module/addresses.ts';

/**
 * The host's pages are counted here. Those that the model looks at one by one have an address: control pages and
 * guest pages that were added. Others are only counted: what the PAMT keeps, and what a guest has accepted.
 */
export class PageAllocator {
  readonly #total: number;
  readonly #freed: Hpa[] = [];
  #next: number;
  #leaked = 0;
  /** Pages in use that have no address here. */
  #unplaced = 0;

  /** @param kept pages that are gone for good before the first is asked for. */
  constructor(memoryBytes: bigint, kept = 0) {
    this.#total = Number(memoryBytes / BigInt(pageSize)) - kept;
    // Page 0 stays unused, so that no address is 0.
    this.#next = 1;
  }

  /** Returns undefined when there is no memory (ENOMEM). */
  allocate(): Hpa | undefined {
    if (this.left <= 0) return undefined;
    return this.#freed.pop() ?? this.#next++ * pageSize;
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

  /** Takes so many pages without addresses, or none and returns false when there are fewer. */
  takeUnplaced(count: number): boolean {
    if (count > this.left) return false;
    this.#unplaced += count;
    return true;
  }

  releaseUnplaced(count: number): void {
    this.#unplaced -= count;
  }

  /**
   * Counts pages that are lost until the machine restarts, because the module would not give them back.
   */
  leak(count = 1): void {
    this.#leaked += count;
  }

  get counts(): { readonly inUse: number; readonly leaked: number } {
    const placed = this.#next - 1 - this.#freed.length - this.#leaked;
    return { inUse: placed + this.#unplaced, leaked: this.#leaked };
  }

  /** Pages that can still be had. */
  get left(): number {
    return this.#total - this.#next + this.#freed.length - this.#unplaced;
  }
}

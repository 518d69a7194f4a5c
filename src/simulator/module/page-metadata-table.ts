import { type Hpa, pageSize } from './addresses.ts';
import type { PageMetadata, PageType } from './states.ts';

const pagesPerChunk = 512;

/**
 * The PAMT tells what each page is and whose. A page that is not here is PT_NDA.
 *
 * It has arrays of 512 pages rather than one Map: the host uses the same few pages again and again, and
 * a Map keeps deleted entries in the chain of their bucket until it is rehashed, so a large one gets
 * slower with each use of the same key.
 */
export class PageMetadataTable {
  readonly #chunks = new Map<number, (PageMetadata | undefined)[]>();
  /** Kept as pages come and go: a rehearsal asks after every step, and a TD has thousands of pages. */
  readonly #counts: Record<PageType, number> = { TDR: 0, TDCX: 0, TDVPR: 0, EPT: 0, REG: 0 };

  /** How many pages there are of each type. */
  get counts(): Readonly<Record<PageType, number>> {
    return { ...this.#counts };
  }

  get(hpa: Hpa): PageMetadata | undefined {
    const page = hpa / pageSize;
    return this.#chunks.get(Math.floor(page / pagesPerChunk))?.[page % pagesPerChunk];
  }

  has(hpa: Hpa): boolean {
    return this.get(hpa) !== undefined;
  }

  /** @param hpa a multiple of the page size, as every leaf has checked. */
  set(hpa: Hpa, metadata: PageMetadata): void {
    this.delete(hpa);
    const page = hpa / pageSize;
    this.#chunk(Math.floor(page / pagesPerChunk))[page % pagesPerChunk] = metadata;
    this.#counts[metadata.type] += 1;
  }

  delete(hpa: Hpa): void {
    const before = this.get(hpa);
    if (before === undefined) return;
    this.#counts[before.type] -= 1;
    const page = hpa / pageSize;
    this.#chunk(Math.floor(page / pagesPerChunk))[page % pagesPerChunk] = undefined;
  }

  #chunk(index: number): (PageMetadata | undefined)[] {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Array<PageMetadata | undefined>(pagesPerChunk).fill(undefined);
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }
}

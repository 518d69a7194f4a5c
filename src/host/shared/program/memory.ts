/**
 * Memory of this program. What is written stays here, page by page, until the kernel would read it: then the pages that
 * it has not seen go ahead of the request. Other programs that have been granted the memory have its pages as they were
 * when they took it; the kernel sees what each of them has sent.
 */
import type { PagesOfMemory, UserMemory } from '../../port.ts';
import { SimulatedMemory } from '../../simulated/address-space.ts';
import { type ObjectFacts, pageBytes, pagesAtOnce } from '../wire/messages.ts';
import type { Link } from './link.ts';
import { SharedFile } from './shared-file.ts';

interface AddressRange {
  readonly address: bigint;
  readonly sizeBytes: bigint;
}

/** All that this program has mapped. */
export class ProgramMemory {
  readonly #mapped = new Set<SharedMemory>();

  add(memory: SharedMemory): void {
    this.#mapped.add(memory);
  }

  remove(memory: SharedMemory): void {
    this.#mapped.delete(memory);
  }

  /** Sends what the host has not seen of a range of addresses. */
  sendWritten({ address, sizeBytes }: AddressRange): void {
    for (const memory of this.#mapped) {
      const start = address - memory.address;
      const end = start + sizeBytes;
      if (start < memory.sizeBytes && end > 0n) memory.sendWritten(start, end);
    }
  }
}

export class SharedMemory extends SharedFile implements UserMemory {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  readonly space: ProgramMemory;
  readonly #here: SimulatedMemory;
  /** Numbers of pages that the host has not seen. Mappings of the same pages have the same. */
  #written = new Set<number>();

  constructor(
    link: Link,
    token: number,
    mapped: ObjectFacts['memory'] & { readonly space: ProgramMemory },
  ) {
    super(link, token);
    const { address, sizeBytes, space } = mapped;
    this.address = address;
    this.sizeBytes = sizeBytes;
    this.space = space;
    const unmap = () => space.remove(this);
    this.#here = new SimulatedMemory({ address, sizeBytes, pages: new Map(), unmap });
    space.add(this);
  }

  /** This is another mapping of the same pages. */
  shareWith(other: SharedMemory): void {
    this.#here.pages = other.#here.pages;
    this.#written = other.#written;
  }

  /** Takes over what the host has in the pages, which somebody else has written. */
  async fetch(): Promise<void> {
    for (let from = 0; ; ) {
      const told: { readonly pages: readonly number[]; readonly bytes: Uint8Array } =
        await this.ask('pagesFrom', from);
      for (const [place, page] of told.pages.entries()) {
        const start = place * pageBytes;
        this.#here.pages.set(page, told.bytes.slice(start, start + pageBytes));
      }
      const last = told.pages.at(-1);
      if (last === undefined || told.pages.length < pagesAtOnce) return;
      from = last + 1;
    }
  }

  write(options: { readonly offsetBytes: bigint; readonly bytes: Uint8Array }): void {
    this.#here.write(options);
    const { offsetBytes, bytes } = options;
    if (bytes.length === 0) return;
    const last = Math.floor((Number(offsetBytes) + bytes.length - 1) / pageBytes);
    for (let page = Math.floor(Number(offsetBytes) / pageBytes); page <= last; page++) {
      this.#written.add(page);
    }
  }

  read(offsetBytes: bigint, lengthBytes: number): Uint8Array {
    return this.#here.read(offsetBytes, lengthBytes);
  }

  async discard({ offsetBytes, sizeBytes }: PagesOfMemory): Promise<void> {
    await this.#here.discard({ offsetBytes, sizeBytes });
    const { pages } = this.#here;
    for (const page of this.#written) if (!pages.has(page)) this.#written.delete(page);
    await this.ask('discard', { offsetBytes, sizeBytes });
  }

  override async close(): Promise<void> {
    await this.#here.close();
    this.#written = new Set();
    await super.close();
  }

  /** Sends what the host has not seen from one offset to another. */
  sendWritten(startBytes = 0n, endBytes = this.sizeBytes): void {
    const [start, end] = [Number(startBytes), Number(endBytes)];
    const pages = [...this.#written].filter(
      (page) => (page + 1) * pageBytes > start && page * pageBytes < end,
    );
    for (let at = 0; at < pages.length; at += pagesAtOnce) {
      this.#send(pages.slice(at, at + pagesAtOnce));
    }
    for (const page of pages) this.#written.delete(page);
  }

  #send(pages: readonly number[]): void {
    // The last page may reach beyond the mapping; what is there is nobody's.
    const bytes = Buffer.concat(
      pages.map((page) => this.#here.bytesAt(page * pageBytes, pageBytes)),
    );
    this.link.tell({ write: this.token, pages, bytes });
  }
}

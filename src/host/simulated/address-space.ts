/**
 * The memory of the process that owns a simulated host. Addresses are made up, and a page has bytes
 * only where something was written.
 */
import { type UserMemory as CallerMemory, RangeMap, RangeSet } from '../../simulator/index.ts';
import { memoryNotMapped } from '../memory-not-mapped.ts';
import type { PagesOfMemory, UserMemory } from '../port.ts';

const pageBytes = 4096;
const zeroPage: Uint8Array = new Uint8Array(pageBytes);

/** Memory that a simulated kernel can copy from. */
export interface ReadableMemory {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  /** Gives a view or a copy of a range that lies inside. */
  bytesAt(offsetBytes: number, lengthBytes: number): Uint8Array;
}

/**
 * What mmap() has to give on x86-64 with 4-level page tables: from vm.mmap_min_addr up to mmap_base, which
 * lies under the gap that the stack may grow into (arch/x86/mm/mmap.c; here without randomisation). A
 * number holds every such address exactly.
 */
const userSpace = { start: 0x1_0000, end: 0x7fff_f7ff_f000 };
/** Mappings of a real process lie from about here on, so that addresses look like addresses. */
const usualStart = 0x7f00_0000_0000;

export class AddressSpace implements CallerMemory {
  readonly #mappings = new RangeMap<ReadableMemory>();
  readonly #free = new RangeSet();

  constructor() {
    this.#free.add(userSpace);
  }

  /**
   * Maps memory at the lowest address that is free, from the usual ones on.
   *
   * @param sharedWith whose pages it shall have.
   * @throws TdctlError TDCTL_E_IOCTL where no free range is large enough, as a real mmap() would fail.
   */
  map(sizeBytes: bigint, sharedWith?: SimulatedMemory): SimulatedMemory {
    // One page stays unmapped between two mappings, as a guard.
    const length = wholePages(sizeBytes) + pageBytes;
    const place =
      this.#free.lowestOf(length, usualStart) ?? this.#free.lowestOf(length, userSpace.start);
    if (place === undefined) throw memoryNotMapped('ENOMEM');
    const unmap = () => {
      this.remove(memory);
      this.#free.add(place);
    };
    const memory = new SimulatedMemory({
      address: BigInt(place.start),
      sizeBytes,
      pages: sharedWith?.pages ?? new Map(),
      unmap,
    });
    this.#free.remove(place);
    this.add(memory);
    return memory;
  }

  /** Makes memory that lies elsewhere part of this space, at the address that it has. */
  add(memory: ReadableMemory): void {
    const start = Number(memory.address);
    this.#mappings.add({ start, end: start + Number(memory.sizeBytes) }, memory);
  }

  remove(memory: ReadableMemory): void {
    this.#mappings.removeAt(Number(memory.address));
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    // What is above user space may be rounded here, and is in no mapping in either case.
    const memory = this.#mappings.at(Number(address));
    if (memory === undefined) return undefined;
    const offset = Number(address - memory.address);
    return offset + length <= memory.sizeBytes ? memory.bytesAt(offset, length) : undefined;
  }
}

function wholePages(sizeBytes: bigint): number {
  return Math.ceil(Number(sizeBytes) / pageBytes) * pageBytes;
}

export class SimulatedMemory implements UserMemory {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  /** By their number. Other mappings, of other processes too, may have the same. */
  pages: Map<number, Uint8Array>;
  #unmap: (() => void) | undefined;

  constructor(mapping: {
    readonly address: bigint;
    readonly sizeBytes: bigint;
    readonly pages: Map<number, Uint8Array>;
    readonly unmap: () => void;
  }) {
    this.address = mapping.address;
    this.sizeBytes = mapping.sizeBytes;
    this.pages = mapping.pages;
    this.#unmap = mapping.unmap;
  }

  write(options: { readonly offsetBytes: bigint; readonly bytes: Uint8Array }): void {
    const { offsetBytes, bytes } = options;
    this.#check(offsetBytes, BigInt(bytes.length));
    let at = Number(offsetBytes);
    let written = 0;
    while (written < bytes.length) {
      const inPage = at % pageBytes;
      const count = Math.min(pageBytes - inPage, bytes.length - written);
      this.#page(Math.floor(at / pageBytes)).set(bytes.subarray(written, written + count), inPage);
      at += count;
      written += count;
    }
  }

  read(offsetBytes: bigint, lengthBytes: number): Uint8Array {
    this.#check(offsetBytes, BigInt(lengthBytes));
    return Uint8Array.from(this.bytesAt(Number(offsetBytes), lengthBytes));
  }

  async discard({ offsetBytes, sizeBytes }: PagesOfMemory): Promise<void> {
    this.#check(offsetBytes, sizeBytes);
    const [first, end] = [offsetBytes, offsetBytes + sizeBytes].map(
      (at) => Number(at) / pageBytes,
    ) as [number, number];
    // There are fewer pages with bytes than the range may have.
    for (const page of this.pages.keys()) if (page >= first && page < end) this.pages.delete(page);
  }

  /** Gives a view where the range lies in one page, and a copy elsewhere. */
  bytesAt(offset: number, length: number): Uint8Array {
    const inPage = offset % pageBytes;
    const page = Math.floor(offset / pageBytes);
    if (inPage + length <= pageBytes) {
      return (this.pages.get(page) ?? zeroPage).subarray(inPage, inPage + length);
    }
    const head = pageBytes - inPage;
    const bytes = new Uint8Array(length);
    bytes.set(this.bytesAt(offset, head));
    bytes.set(this.bytesAt(offset + head, length - head), head);
    return bytes;
  }

  async close(): Promise<void> {
    this.#unmap?.();
    // Its addresses may be those of another mapping by the time of a second close.
    this.#unmap = undefined;
    this.pages = new Map();
  }

  #check(offsetBytes: bigint, lengthBytes: bigint): void {
    if (offsetBytes >= 0n && offsetBytes + lengthBytes <= this.sizeBytes) return;
    throw new RangeError(
      `${lengthBytes} bytes at offset ${offsetBytes} are outside a mapping of ${this.sizeBytes} bytes`,
    );
  }

  #page(index: number): Uint8Array {
    let page = this.pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(pageBytes);
      this.pages.set(index, page);
    }
    return page;
  }
}

/**
 * The memory of the process that owns a simulated host. Addresses are made up, and a page has bytes
 * only where something was written.
 */
import type { UserMemory as CallerMemory } from '../../simulator/index.ts';
import type { UserMemory } from '../port.ts';

const pageBytes = 4096;
const zeroPage: Uint8Array = new Uint8Array(pageBytes);

/** Memory that a simulated kernel can copy from. */
export interface ReadableMemory {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  /** Gives a view or a copy of a range that lies inside. */
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
}

export class AddressSpace implements CallerMemory {
  readonly #mappings = new Map<bigint, ReadableMemory>();
  // The first address is where mmap would put things, so that addresses look like addresses.
  #next = 0x7f00_0000_0000n;

  map(sizeBytes: bigint): SimulatedMemory {
    const memory = new SimulatedMemory(this.#next, sizeBytes, () => this.remove(memory));
    this.add(memory);
    // One page stays unmapped between two mappings, as a guard.
    this.#next += sizeBytes + BigInt(pageBytes);
    return memory;
  }

  /** Makes memory that lies elsewhere part of this space, at the address that it has. */
  add(memory: ReadableMemory): void {
    this.#mappings.set(memory.address, memory);
  }

  remove(memory: ReadableMemory): void {
    this.#mappings.delete(memory.address);
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    for (const memory of this.#mappings.values()) {
      const offset = address - memory.address;
      if (offset >= 0n && offset + BigInt(length) <= memory.sizeBytes) {
        return memory.read(Number(offset), length);
      }
    }
    return undefined;
  }
}

export class SimulatedMemory implements UserMemory {
  readonly address: bigint;
  readonly sizeBytes: bigint;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #unmap: () => void;

  constructor(address: bigint, sizeBytes: bigint, unmap: () => void) {
    this.address = address;
    this.sizeBytes = sizeBytes;
    this.#unmap = unmap;
  }

  write(options: { readonly offsetBytes: bigint; readonly bytes: Uint8Array }): void {
    const { offsetBytes, bytes } = options;
    if (offsetBytes < 0n || offsetBytes + BigInt(bytes.length) > this.sizeBytes) {
      throw new RangeError(
        `${bytes.length} bytes at offset ${offsetBytes} are outside a mapping of ${this.sizeBytes} bytes`,
      );
    }
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

  /** Gives a view where the range lies in one page, and a copy elsewhere. */
  read(offset: number, length: number): Uint8Array {
    const inPage = offset % pageBytes;
    const page = Math.floor(offset / pageBytes);
    if (inPage + length <= pageBytes) {
      return (this.#pages.get(page) ?? zeroPage).subarray(inPage, inPage + length);
    }
    const head = pageBytes - inPage;
    const bytes = new Uint8Array(length);
    bytes.set(this.read(offset, head));
    bytes.set(this.read(offset + head, length - head), head);
    return bytes;
  }

  async close(): Promise<void> {
    this.#unmap();
    this.#pages.clear();
  }

  #page(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(pageBytes);
      this.#pages.set(index, page);
    }
    return page;
  }
}

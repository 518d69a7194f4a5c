import type { UserBytes } from '../../simulator/index.ts';
import { decodeArray } from './arrays.ts';
import type { ClientMemory } from './client-call.ts';
import type { Fields, Layout, ValuesOf } from './layout.ts';

/** Where something begins in the client's memory. Every read is undefined where the kernel's copy faults. */
export class Place implements UserBytes {
  readonly #memory: ClientMemory;
  readonly #address: () => bigint | undefined;

  /** An address that is undefined, because nobody has read it yet, faults. */
  constructor(memory: ClientMemory, address: bigint | (() => bigint | undefined)) {
    this.#memory = memory;
    this.#address = typeof address === 'bigint' ? () => address : address;
  }

  read(lengthBytes: number, offset = 0): Uint8Array | undefined {
    // The kernel copies nothing without looking at the address.
    if (lengthBytes === 0) return new Uint8Array(0);
    const address = this.#at(offset);
    const bytes = address === undefined ? undefined : this.#memory.read(address, lengthBytes);
    return bytes?.length === lengthBytes ? bytes : undefined;
  }

  write(bytes: Uint8Array, offset = 0): boolean {
    if (bytes.length === 0) return true;
    const address = this.#at(offset);
    return address !== undefined && this.#memory.write(address, bytes);
  }

  readU32(offset = 0): number | undefined {
    const bytes = this.read(4, offset);
    return bytes && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  readStruct<const F extends Fields>(layout: Layout<F>): ValuesOf<F> | undefined {
    const bytes = this.read(layout.sizeBytes);
    return bytes && layout.decode(bytes);
  }

  readArray<const F extends Fields>(
    layout: Layout<F>,
    count: number,
    offset: number,
  ): ValuesOf<F>[] | undefined {
    const bytes = this.read(count * layout.sizeBytes, offset);
    return bytes && decodeArray(layout, bytes, count);
  }

  /** A pointer that overflows wraps around, and then faults as any other does. */
  #at(offset: number): bigint | undefined {
    const address = this.#address();
    return address === undefined ? undefined : BigInt.asUintN(64, address + BigInt(offset));
  }
}

/** Lists of MSRs, their values, and the filter of a VM. */
import type { MsrEntry, UserMsrList, UserMsrs } from '../../simulator/index.ts';
import { decodeArray, encodeArray } from './arrays.ts';
import type { ClientMemory } from './client-call.ts';
import { Place } from './place.ts';
import { structs } from './structs.ts';

export class MsrListInMemory implements UserMsrList {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readCount(): number | undefined {
    return this.#place.readU32();
  }

  writeCount(count: number): boolean {
    return this.#place.write(structs.kvm_msr_list.encode({ count }));
  }

  writeIndices(indices: readonly number[], at: number): boolean {
    const offset = structs.kvm_msr_list.sizeBytes + at * Uint32Array.BYTES_PER_ELEMENT;
    return this.#place.write(littleEndianWords(indices), offset);
  }
}

function littleEndianWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * Uint32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return bytes;
}

export class MsrsInMemory implements UserMsrs {
  readonly #place: Place;
  #copied: Uint8Array | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  readCount(): number | undefined {
    const bytes = this.#place.read(structs.kvm_msrs.sizeBytes);
    return bytes === undefined ? undefined : structs.kvm_msrs.decode(bytes).count;
  }

  readEntries(count: number): readonly MsrEntry[] | undefined {
    const layout = structs.kvm_msr_entry;
    const bytes = this.#place.read(count * layout.sizeBytes, structs.kvm_msrs.sizeBytes);
    this.#copied = bytes?.slice();
    return bytes === undefined ? undefined : decodeArray(layout, bytes, count);
  }

  /** The kernel's copy goes back, with the reserved words as they came. */
  writeEntries(entries: readonly MsrEntry[]): boolean {
    const bytes = encodeArray(structs.kvm_msr_entry, entries, this.#copied);
    return this.#place.write(bytes, structs.kvm_msrs.sizeBytes);
  }
}

const filterRanges = { count: 16, offset: 8 } as const;

/** The filter and its ranges are copied at once, the bitmap of each range by itself. */
export function msrFilterInMemory(memory: ClientMemory, place: Place) {
  let ranges: ReturnType<typeof decodeRanges> = [];
  return {
    filter: {
      read: () => {
        const bytes = place.read(structs.kvm_msr_filter.sizeBytes);
        if (bytes === undefined) return undefined;
        ranges = decodeRanges(bytes);
        return {
          ...structs.kvm_msr_filter.decode(bytes),
          ranges: ranges.map(({ bitmap: _, ...range }) => range),
        };
      },
      write: () => false,
    },
    bitmaps: {
      readBitmap: (range: number, lengthBytes: number) =>
        new Place(memory, () => ranges[range]?.bitmap).read(lengthBytes),
    },
  };
}

function decodeRanges(filter: Uint8Array) {
  const { count, offset } = filterRanges;
  return decodeArray(structs.kvm_msr_filter_range, filter.subarray(offset), count);
}

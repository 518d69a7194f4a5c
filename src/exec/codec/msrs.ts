/** Lists of MSRs, their values, and the filter of a VM. */
import type { UserMsrList, UserMsrs } from '../../simulator/index.ts';
import { decodeArray, encodeArray } from './arrays.ts';
import type { ClientMemory } from './client-call.ts';
import { Place } from './place.ts';
import { structs } from './structs.ts';

export function msrListInMemory(place: Place): UserMsrList {
  const { sizeBytes } = structs.kvm_msr_list;
  const wordBytes = Uint32Array.BYTES_PER_ELEMENT;
  return {
    readCount: () => place.readU32(),
    writeCount: (count) => place.write(structs.kvm_msr_list.encode({ count })),
    writeIndices: (indices, at) =>
      place.write(littleEndianWords(indices), sizeBytes + at * wordBytes),
  };
}

function littleEndianWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * Uint32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return bytes;
}

export function msrsInMemory(place: Place): UserMsrs {
  const entry = structs.kvm_msr_entry;
  const { sizeBytes } = structs.kvm_msrs;
  let copied: Uint8Array | undefined;
  return {
    readCount: () => place.readStruct(structs.kvm_msrs)?.count,
    readEntries: (count) => {
      copied = place.read(count * entry.sizeBytes, sizeBytes)?.slice();
      return copied && decodeArray(entry, copied, count);
    },
    // The kernel writes its own copy back, in which the reserved words are as they came.
    writeEntries: (entries) => place.write(encodeArray(entry, entries, copied), sizeBytes),
  };
}

const filterRanges = { count: 16, offset: 8 } as const;

/** The kernel copies the filter with its ranges at once, and the bitmap of each range by itself. */
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

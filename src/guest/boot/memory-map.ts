/** The memory as a kernel is told of it: by the e820 table of boot_params, or the map of hvm_start_info. */
import { places } from './places.ts';
import type { BootRequest, GuestRange } from './types.ts';

/** E820_TYPE_RAM and E820_TYPE_RESERVED; XEN_HVM_MEMMAP_TYPE_* are the same numbers. */
export const memoryTypes = { ram: 1, reserved: 2 } as const;

export interface MappedRange extends GuestRange {
  readonly type: (typeof memoryTypes)[keyof typeof memoryTypes];
}

type GivenMemory = BootRequest['memory']['value'];

const between = (gpa: bigint, end: bigint): GuestRange => ({ gpa, sizeBytes: end - gpa });

/** In ascending order. The hole below 4 GiB is in none of them, but for the firmware at its end. */
export function memoryMap(memory: GivenMemory): MappedRange[] {
  const { lowMemoryEnd, highMemory } = places;
  return [
    { ...between(0n, lowMemoryEnd), type: memoryTypes.ram },
    { ...between(lowMemoryEnd, highMemory), type: memoryTypes.reserved },
    ...joined(memory).map((range) =>
      range.holds === 'firmware'
        ? { gpa: range.gpa, sizeBytes: range.sizeBytes, type: memoryTypes.reserved }
        : { ...aboveFirstMegabyte(range), type: memoryTypes.ram },
    ),
  ];
}

/** In ascending order: RAM of many slots is one range, since the table of boot_params has 128 entries. */
function joined(memory: GivenMemory): GivenMemory {
  const ascending = [...memory].sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
  const ranges: GivenMemory[number][] = [];
  for (const range of ascending) {
    const last = ranges.at(-1);
    if (last?.holds !== range.holds || endOf(last) !== range.gpa) ranges.push(range);
    else ranges[ranges.length - 1] = { ...last, sizeBytes: last.sizeBytes + range.sizeBytes };
  }
  return ranges;
}

/** Where kernels and initrds may lie: RAM that begins at 0, less its first megabyte. */
export function lowRam(memory: GivenMemory): GuestRange {
  const low = joined(memory).find(({ gpa, holds }) => holds === 'ram' && gpa === 0n);
  if (!low) throw new Error('the RAM of a guest begins at 0');
  return aboveFirstMegabyte(low);
}

function aboveFirstMegabyte({ gpa, sizeBytes }: GuestRange): GuestRange {
  const start = gpa < places.highMemory ? places.highMemory : gpa;
  const end = gpa + sizeBytes;
  return between(start, end > start ? end : start);
}

export const endOf = ({ gpa, sizeBytes }: GuestRange): bigint => gpa + sizeBytes;

/**
 * PVH: an ELF image is entered in 32-bit protected mode, with the address of a `struct hvm_start_info` in EBX.
 * Sources: Xen, docs/misc/pvh.pandoc, and xen/include/public/arch-x86/hvm/start_info.h.
 */
import { generalRegistersOf } from '../../abi/kvm/registers.ts';
import { bootInvalid } from './boot-error.ts';
import { protectedMode, rflagsAtEntry } from './cpu-modes.ts';
import { type ElfImage, type ElfSegment, parseElf } from './elf.ts';
import { endOf, lowRam, memoryMap } from './memory-map.ts';
import { placeCommandLine, placeInitrd, upToMib } from './parts.ts';
import { lastOfCommandLine, places } from './places.ts';
import type { BootRequest, BootState, GuestRange, GuestWrite } from './types.ts';

const XEN_ELFNOTE_PHYS32_ENTRY = 18;
const XEN_HVM_START_MAGIC_VALUE = 0x336ec578;
/** The first one with a memory map. */
const startInfoVersion = 1;
const sizes = { startInfo: 56, module: 32, mapEntry: 24 } as const;

export function bootPvh(request: BootRequest): BootState {
  const { kernel, initrd, cmdline, memory } = request;
  const image = parseElf(kernel);
  const ram = lowRam(memory.value);
  const entry = entryOf(image, kernel.place);
  checkSegments(image, { entry, ram, request });
  const kernelEnd = image.segments.map(endOfSegment).reduce((a, b) => (a > b ? a : b));
  const placedInitrd = initrd && placeInitrd(initrd, { ram, kernelEnd });
  const placedCommandLine = placeCommandLine(cmdline, lastOfCommandLine);
  const { sregs, writes } = protectedMode();
  return {
    protocol: 'pvh',
    writes: [
      ...writes,
      startInfo(placedInitrd, memory.value),
      placedCommandLine,
      ...image.segments.flatMap(writesOf),
      ...(placedInitrd ? [placedInitrd] : []),
    ],
    registers: {
      sregs,
      regs: generalRegistersOf({ rip: entry, rbx: places.startInfo, rflags: rflagsAtEntry }),
    },
  };
}

const again = 'fetch or build the kernel again';

function entryOf({ notes }: ElfImage, place: string): bigint {
  const note = notes.find(({ name, type }) => name === 'Xen' && type === XEN_ELFNOTE_PHYS32_ENTRY);
  const bytes = note?.value;
  if (bytes === undefined) {
    throw bootInvalid({
      place,
      message: 'the ELF image says no PVH entry (the note XEN_ELFNOTE_PHYS32_ENTRY)',
      hint: 'use the bzImage of this kernel, or build it with CONFIG_PVH=y',
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return BigInt(view.getUint32(0, true));
  if (bytes.length === 8) return view.getBigUint64(0, true);
  throw bootInvalid({
    place,
    message: `the note with the PVH entry has ${bytes.length} bytes, and an address has 4 or 8`,
    hint: again,
  });
}

interface CheckedAgainst {
  readonly entry: bigint;
  readonly ram: GuestRange;
  readonly request: BootRequest;
}

function checkSegments({ segments }: ElfImage, { entry, ram, request }: CheckedAgainst): void {
  const invalid = (message: string, hint: string) =>
    bootInvalid({ place: request.kernel.place, message, hint });
  const sorted = [...segments].sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
  for (const [index, segment] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next && endOfSegment(segment) > next.gpa) {
      throw invalid(
        `two segments of the ELF image both lie at ${hex(next.gpa)}: it is damaged`,
        again,
      );
    }
  }
  const low = sorted.find(({ gpa }) => gpa < ram.gpa);
  if (low) {
    throw invalid(
      `the ELF image has a segment at ${hex(low.gpa)}, and what the kernel is told lies below 1 MiB`,
      'link it to 1 MiB or above',
    );
  }
  const high = sorted.find((segment) => endOfSegment(segment) > endOf(ram));
  if (high) {
    throw invalid(
      `the kernel does not fit into the memory of the TD: it needs RAM up to ${upToMib(endOfSegment(high))}, and there is RAM up to ${upToMib(endOf(ram))}`,
      `give the TD at least ${upToMib(endOfSegment(high))} of memory (${request.memory.place})`,
    );
  }
  if (!sorted.some((segment) => segment.gpa <= entry && entry < endOfSegment(segment))) {
    throw invalid(`the PVH entry, ${hex(entry)}, lies in no segment of the ELF image`, again);
  }
}

const hex = (address: bigint) => `0x${address.toString(16)}`;

const endOfSegment = ({ gpa, memoryBytes }: ElfSegment) => gpa + memoryBytes;

const zeros = new Uint8Array(1 << 20);

/** A segment is zero where the file has nothing, and memory of a guest may have been something else before. */
function writesOf({ gpa, memoryBytes, bytes }: ElfSegment): GuestWrite[] {
  const writes: GuestWrite[] = bytes.length > 0 ? [{ gpa, bytes }] : [];
  const end = gpa + memoryBytes;
  for (let at = gpa + BigInt(bytes.length); at < end; at += BigInt(zeros.length)) {
    const left = Number(end - at);
    writes.push({ gpa: at, bytes: left < zeros.length ? zeros.subarray(0, left) : zeros });
  }
  return writes;
}

function startInfo(
  initrd: GuestWrite | undefined,
  memory: BootRequest['memory']['value'],
): GuestWrite {
  const map = memoryMap(memory);
  const moduleAt = sizes.startInfo + 8; // Both lists begin at a multiple of 32 or of 8.
  const mapAt = moduleAt + sizes.module;
  const bytes = new Uint8Array(mapAt + map.length * sizes.mapEntry);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, XEN_HVM_START_MAGIC_VALUE, true);
  view.setUint32(4, startInfoVersion, true);
  view.setBigUint64(24, places.commandLine, true);
  view.setBigUint64(32, places.acpi, true);
  view.setBigUint64(40, places.startInfo + BigInt(mapAt), true);
  view.setUint32(48, map.length, true);
  if (initrd) {
    view.setUint32(12, 1, true);
    view.setBigUint64(16, places.startInfo + BigInt(moduleAt), true);
    view.setBigUint64(moduleAt, initrd.gpa, true);
    view.setBigUint64(moduleAt + 8, BigInt(initrd.bytes.length), true);
  }
  map.forEach(({ gpa, sizeBytes, type }, index) => {
    const entry = mapAt + index * sizes.mapEntry;
    view.setBigUint64(entry, gpa, true);
    view.setBigUint64(entry + 8, sizeBytes, true);
    view.setUint32(entry + 16, type, true);
  });
  return { gpa: places.startInfo, bytes };
}

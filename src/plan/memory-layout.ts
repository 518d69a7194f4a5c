/**
 * Lays out a TD's memory, and the pages that are in it before it runs, as QEMU's q35 does: RAM from
 * 0, a hole below 4 GiB for devices and firmware, the rest of the RAM from 4 GiB up. The firmware
 * image ends at 4 GiB (TDVF design guide, "TDVF image").
 */
import { PAGE_SIZE } from '../abi/kvm/structs.ts';
import { TdctlError } from '../errors/index.ts';
import {
  buildTdHob,
  type FirmwareImage,
  isLaunchedByQemu,
  type TdvfSection,
} from '../firmware/index.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

const GIB = 1n << 30n;
const FOUR_GIB = 4n * GIB;
/** With more RAM than fits below the hole, this much lies there: QEMU q35, `max_ram_below_4g`. */
const LOW_RAM_WITH_HOLE = 2n * GIB;
/** KVM takes fewer than 2^31 pages (8 TiB) in one slot, so larger RAM has several. */
const LARGEST_SLOT = 4n << 40n;
/** q35 keeps RAM in one piece up to this address. */
const LOW_RAM_LIMIT = 0xb0000000n;

export interface MemorySlot {
  readonly slot: number;
  readonly holds: 'ram' | 'firmware';
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

/** One KVM_TDX_INIT_MEM_REGION. */
export interface InitialPages {
  readonly section: TdvfSection;
  readonly slot: number;
  readonly gpa: bigint;
  readonly pages: number;
  readonly measured: boolean;
  /** The bytes to put there first; the rest of the range is zero. */
  readonly bytes: Uint8Array;
}

export interface MemoryLayout {
  readonly slots: readonly MemorySlot[];
  /** The pages are in metadata order, which is the order of measurement. */
  readonly initialPages: readonly InitialPages[];
  /** The guest physical address of the TD HOB, which the firmware finds in RCX. */
  readonly hobAddress: bigint;
}

export function layoutMemory(spec: TrustDomain, firmware: FirmwareImage): MemoryLayout {
  checkAddressWidth(spec);
  checkSectionTypes(firmware);
  const ram = ramRanges(spec.memoryBytes);
  const image = { gpa: firmware.loadAddress, sizeBytes: BigInt(firmware.sizeBytes) };
  const slots: MemorySlot[] = [
    ...ram.flatMap(inSlots).map((range) => ({ holds: 'ram' as const, ...range })),
    { holds: 'firmware' as const, ...image },
  ].map((range, slot) => ({ slot, ...range }));
  const hob = firmware.sections.find((section) => section.type === 'TD_HOB');
  if (!hob) throw new Error('a parsed firmware image has a TD_HOB section');

  // All are placed before any content is made, so that too little memory is the first finding.
  const placed = firmware.sections.map((section) => ({
    section,
    slot: slotOf(section, { slots, spec, firmware }).slot,
  }));
  return {
    slots,
    initialPages: placed.map(({ section, slot }) => ({
      section,
      slot,
      gpa: section.gpa,
      pages: Number(section.memorySizeBytes / PAGE_SIZE),
      measured: section.measured,
      bytes: initialBytes(section, { firmware, ram }),
    })),
    hobAddress: hob.gpa,
  };
}

interface GuestRange {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

function inSlots({ gpa, sizeBytes }: GuestRange): GuestRange[] {
  if (sizeBytes <= LARGEST_SLOT) return [{ gpa, sizeBytes }];
  const rest = { gpa: gpa + LARGEST_SLOT, sizeBytes: sizeBytes - LARGEST_SLOT };
  return [{ gpa, sizeBytes: LARGEST_SLOT }, ...inSlots(rest)];
}

function ramRanges(memoryBytes: bigint): GuestRange[] {
  if (memoryBytes <= LOW_RAM_LIMIT) return [{ gpa: 0n, sizeBytes: memoryBytes }];
  return [
    { gpa: 0n, sizeBytes: LOW_RAM_WITH_HOLE },
    { gpa: FOUR_GIB, sizeBytes: memoryBytes - LOW_RAM_WITH_HOLE },
  ];
}

/** The highest address bit of a TD is the shared bit, so half of the width is private memory. */
function checkAddressWidth(spec: TrustDomain): void {
  const privateLimit = 1n << BigInt(spec.gpaw - 1);
  const end = ramRanges(spec.memoryBytes).reduce((_, range) => range.gpa + range.sizeBytes, 0n);
  if (end <= privateLimit) return;
  throw specError(spec, {
    field: 'spec.memory',
    problem: `memory would end above 2^${spec.gpaw - 1}, the private half of a ${spec.gpaw}-bit address space`,
    hint: 'ask for less memory, or for gpaw: 52 on a host with 5-level paging',
  });
}

/** The TD is laid out as QEMU does it, so sections that only other VMMs know have no place in it. */
function checkSectionTypes({ sections, path }: FirmwareImage): void {
  const unknown = sections.filter((section) => !isLaunchedByQemu(section));
  if (unknown.length === 0) return;
  const types = [...new Set(unknown.map(({ type }) => type))];
  throw new TdctlError({
    code: 'TDCTL_E_FIRMWARE_INVALID',
    op: 'lay out the memory',
    place: path,
    message: `the image has sections that QEMU, and so tdctl, does not launch: ${types.join(', ')}`,
    hint: 'launch it by a VMM that knows td-shim; `tdctl measure FIRMWARE` tells the MRTD it will have there',
  });
}

interface SlotSearch {
  readonly slots: readonly MemorySlot[];
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
}

function slotOf(section: TdvfSection, { slots, spec, firmware }: SlotSearch): MemorySlot {
  const end = section.gpa + section.memorySizeBytes;
  const slot = slots.find(({ gpa, sizeBytes }) => section.gpa >= gpa && end <= gpa + sizeBytes);
  if (slot) return slot;

  const ramNeeded = firmware.sections
    .map((other) => other.gpa + other.memorySizeBytes)
    .filter((other) => other <= LOW_RAM_LIMIT)
    .reduce((highest, other) => (other > highest ? other : highest), 0n);
  if (end <= ramNeeded) {
    throw specError(spec, {
      field: 'spec.memory',
      problem: `too little for this firmware: its ${section.type} section ends at 0x${end.toString(16)}`,
      hint: `give the TD at least ${ramNeeded / 1024n}KiB of memory`,
    });
  }
  throw new TdctlError({
    code: 'TDCTL_E_FIRMWARE_INVALID',
    op: 'lay out the memory',
    place: firmware.path,
    message: `the ${section.type} section at 0x${section.gpa.toString(16)} lies neither in RAM nor in the firmware image`,
    hint: 'use an image whose sections lie in low memory or in the image itself, as OVMF builds them',
  });
}

function initialBytes(
  section: TdvfSection,
  { firmware, ram }: { firmware: FirmwareImage; ram: readonly GuestRange[] },
): Uint8Array {
  if (section.type === 'TD_HOB') {
    return buildTdHob({ ram, sections: firmware.sections, place: firmware.path });
  }
  return firmware.bytes.subarray(section.dataOffset, section.dataOffset + section.rawSizeBytes);
}

function specError(
  spec: TrustDomain,
  { field, problem, hint }: { field: string; problem: string; hint: string },
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'lay out the memory',
    place: spec.source.locate(field),
    message: 'the memory of this TD cannot be laid out',
    details: [spec.source.finding({ field, problem })],
    hint,
  });
}

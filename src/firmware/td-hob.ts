/**
 * The TD HOB: a list of PI hand-off blocks that tells the firmware which memory the TD has. The VMM
 * writes it into the TD_HOB section. It is not in MRTD; the firmware measures it into RTMR0.
 *
 * The list is what QEMU makes (hw/i386/tdvf-hob.c): one resource descriptor per range in ascending
 * order, no MMIO, free memory pointers zero. Layouts: PI Specification 1.7, volume 3, section 5.
 */
import { firmwareInvalid } from './firmware-error.ts';
import { hex } from './hex.ts';
import type { TdvfSection } from './types.ts';

export interface RamRange {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

interface Resource extends RamRange {
  readonly kind: keyof typeof resourceTypes;
}

const hobTypes = { handoff: 1, resourceDescriptor: 3, endOfList: 0xffff } as const;
const hobBytes = { handoff: 56, resourceDescriptor: 48, endOfList: 8 } as const;
const handoffTableVersion = 9;
/** Pages that the build added are EFI_RESOURCE_SYSTEM_MEMORY; the rest the guest must accept. */
const resourceTypes = { added: 0, unaccepted: 7 } as const;
/** The value is EFI_RESOURCE_ATTRIBUTE_PRESENT | INITIALIZED | TESTED. */
const resourceAttributes = 0x7;

/**
 * Makes the bytes to put at the start of the TD_HOB section; the rest of the section stays zero.
 *
 * @param options.sections as {@link parseTdvf} gives them: exactly one is TD_HOB.
 * @param options.ram the TD's RAM: ranges that do not overlap, in any order.
 * @throws TdctlError TDCTL_E_FIRMWARE_INVALID when a section lies outside the RAM, or the list does
 * not fit into its section.
 */
export function buildTdHob(options: {
  readonly sections: readonly TdvfSection[];
  readonly ram: readonly RamRange[];
  readonly place?: string | undefined;
}): Uint8Array {
  const { sections, ram, place } = options;
  const hob = sections.find(({ type }) => type === 'TD_HOB');
  if (!hob) throw new RangeError('no section is of type TD_HOB');
  const resources = describeRam(ram, sections, place);

  const listBytes = listBytesOf(resources);
  if (BigInt(listBytes) > hob.memorySizeBytes) {
    throw firmwareInvalid({
      place,
      message:
        `the TD HOB takes ${listBytes} bytes for ${resources.length} memory ranges, and the ` +
        `TD_HOB section at ${hex(hob.gpa)} has ${hob.memorySizeBytes}`,
      hint: 'use a firmware with a larger TD_HOB section',
    });
  }
  return encode(resources, hob.gpa + BigInt(listBytes));
}

/** Cuts the sections that lie in RAM out of it. BFV and CFV lie above; the firmware knows them. */
function describeRam(
  ram: readonly RamRange[],
  sections: readonly TdvfSection[],
  place: string | undefined,
): Resource[] {
  let resources: Resource[] = ram.map((range) => ({ ...range, kind: 'unaccepted' }));
  sections.forEach((section, index) => {
    if (section.type !== 'TD_HOB' && section.type !== 'TEMP_MEM') return;
    const added: Resource = {
      gpa: section.gpa,
      sizeBytes: section.memorySizeBytes,
      kind: 'added',
    };
    const around = resources.find(
      (range) => range.gpa <= added.gpa && endOf(added) <= endOf(range),
    );
    if (around?.kind !== 'unaccepted') {
      throw firmwareInvalid({
        place,
        message:
          `section ${index} (${section.type}) at ${hex(added.gpa)}-${hex(endOf(added) - 1n)} does ` +
          "not lie in the TD's memory",
        hint: `give the TD more memory: the firmware needs RAM up to ${hex(endOf(added))}.`,
      });
    }
    resources = resources.flatMap((range) => (range === around ? split(range, added) : [range]));
  });
  return resources.sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
}

function split(range: Resource, added: Resource): Resource[] {
  const before = { ...range, sizeBytes: added.gpa - range.gpa };
  const after = { ...range, gpa: endOf(added), sizeBytes: endOf(range) - endOf(added) };
  return [before, added, after].filter(({ sizeBytes }) => sizeBytes > 0n);
}

function endOf({ gpa, sizeBytes }: RamRange): bigint {
  return gpa + sizeBytes;
}

function listBytesOf(resources: readonly Resource[]): number {
  return hobBytes.handoff + resources.length * hobBytes.resourceDescriptor + hobBytes.endOfList;
}

/** `listEnd` is the GPA of the byte after the end-of-list block, which is what QEMU gives. */
function encode(resources: readonly Resource[], listEnd: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(listBytesOf(resources)));

  writeHeader(view, 0, 'handoff');
  view.setUint32(8, handoffTableVersion, true);
  view.setBigUint64(48, listEnd, true);

  let offset: number = hobBytes.handoff;
  for (const { kind, gpa, sizeBytes } of resources) {
    writeHeader(view, offset, 'resourceDescriptor');
    view.setUint32(offset + 24, resourceTypes[kind], true);
    view.setUint32(offset + 28, resourceAttributes, true);
    view.setBigUint64(offset + 32, gpa, true);
    view.setBigUint64(offset + 40, sizeBytes, true);
    offset += hobBytes.resourceDescriptor;
  }
  writeHeader(view, offset, 'endOfList');
  return new Uint8Array(view.buffer);
}

/** Writes an EFI_HOB_GENERIC_HEADER: u16 type, u16 length, u32 reserved. */
function writeHeader(view: DataView, offset: number, kind: keyof typeof hobTypes): void {
  view.setUint16(offset, hobTypes[kind], true);
  view.setUint16(offset + 2, hobBytes[kind], true);
}

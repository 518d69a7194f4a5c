import type { TdvfSection } from './types.ts';

interface SectionKind {
  readonly name: string;
  /** Says where the bytes of such a section come from. */
  readonly bytes: 'in the image' | 'zeros' | 'cannot be launched';
}

/**
 * The section types by number. Source: TDX Virtual Firmware Design Guide, table of section types; 7
 * and 8 are td-shim's own. QEMU (hw/i386/tdvf.c) launches the first four only.
 */
export const sectionKinds: readonly SectionKind[] = [
  { name: 'BFV', bytes: 'in the image' },
  { name: 'CFV', bytes: 'in the image' },
  { name: 'TD_HOB', bytes: 'zeros' },
  { name: 'TEMP_MEM', bytes: 'zeros' },
  { name: 'PERM_MEM', bytes: 'cannot be launched' },
  { name: 'PAYLOAD', bytes: 'cannot be launched' },
  { name: 'PAYLOAD_PARAM', bytes: 'cannot be launched' },
  { name: 'TD_INFO', bytes: 'cannot be launched' },
  { name: 'TD_PARAMS', bytes: 'cannot be launched' },
];

/** A section as it stands in the file, before anything is checked. */
export interface RawSection extends Omit<TdvfSection, 'type'> {
  readonly index: number;
  readonly typeNumber: number;
}

export const sectionEntryBytes = 32;
const attributeExtendMr = 1 << 0;
const attributePageAug = 1 << 1;

/** Reads the 32-byte entry at `offset`, which must lie inside the view. */
export function readSection(view: DataView, offset: number, index: number): RawSection {
  const attributes = view.getUint32(offset + 28, true);
  return {
    index,
    dataOffset: view.getUint32(offset, true),
    rawSizeBytes: view.getUint32(offset + 4, true),
    gpa: view.getBigUint64(offset + 8, true),
    memorySizeBytes: view.getBigUint64(offset + 16, true),
    typeNumber: view.getUint32(offset + 24, true),
    measured: (attributes & attributeExtendMr) !== 0,
    pageAug: (attributes & attributePageAug) !== 0,
  };
}

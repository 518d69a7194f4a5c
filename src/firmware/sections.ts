import type { TdvfSection } from './types.ts';

interface SectionKind {
  readonly name: string;
  /** Its bytes are in the image. Undefined: the type cannot be launched. */
  readonly hasData?: boolean;
}

/**
 * Section types by number. Source: TDX Virtual Firmware Design Guide, table of section types; 7 and
 * 8 are td-shim's own. QEMU (hw/i386/tdvf.c) launches the first four only.
 */
export const sectionKinds: readonly SectionKind[] = [
  { name: 'BFV', hasData: true },
  { name: 'CFV', hasData: true },
  { name: 'TD_HOB', hasData: false },
  { name: 'TEMP_MEM', hasData: false },
  { name: 'PERM_MEM' },
  { name: 'PAYLOAD' },
  { name: 'PAYLOAD_PARAM' },
  { name: 'TD_INFO' },
  { name: 'TD_PARAMS' },
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

import type { TdvfSection, TdvfSectionType } from './types.ts';

interface SectionKind {
  readonly name: TdvfSectionType;
  /**
   * Says where the bytes of such a section come from. `no memory`: it names data of the image, and is
   * none of the TD's memory.
   */
  readonly bytes: 'in the image' | 'zeros' | 'in the image or from the VMM' | 'no memory';
  /** QEMU (hw/i386/tdvf.c) launches these. The others are for VMMs that know td-shim. */
  readonly launchedByQemu: boolean;
}

/**
 * The section types by number. Source: TDX Virtual Firmware Design Guide, table of section types;
 * td-shim, td-shim-interface/src/metadata.rs for what they must be; 7 and 8 are td-shim's own.
 */
export const sectionKinds: readonly SectionKind[] = [
  { name: 'BFV', bytes: 'in the image', launchedByQemu: true },
  { name: 'CFV', bytes: 'in the image', launchedByQemu: true },
  { name: 'TD_HOB', bytes: 'zeros', launchedByQemu: true },
  { name: 'TEMP_MEM', bytes: 'zeros', launchedByQemu: true },
  { name: 'PERM_MEM', bytes: 'zeros', launchedByQemu: false },
  { name: 'PAYLOAD', bytes: 'in the image or from the VMM', launchedByQemu: false },
  { name: 'PAYLOAD_PARAM', bytes: 'in the image or from the VMM', launchedByQemu: false },
  { name: 'TD_INFO', bytes: 'no memory', launchedByQemu: false },
  { name: 'TD_PARAMS', bytes: 'no memory', launchedByQemu: false },
];

export function isLaunchedByQemu({ type }: Pick<TdvfSection, 'type'>): boolean {
  return sectionKinds.some(({ name, launchedByQemu }) => name === type && launchedByQemu);
}

/**
 * Whether TDH.MEM.PAGE.ADD adds the section's pages while the TD is built. QEMU does not look at
 * PAGE.AUG, so it counts only where VMMs that know td-shim launch the section: they give the running TD
 * its pages by TDH.MEM.PAGE.AUG, which measures nothing.
 */
export function isAddedAtBuild(section: Pick<TdvfSection, 'type' | 'pageAug'>): boolean {
  return isLaunchedByQemu(section) || !section.pageAug;
}

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

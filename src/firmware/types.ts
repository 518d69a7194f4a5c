/** What TDVF metadata says of one piece of the TD's first memory. */
export interface TdvfSection {
  readonly type: TdvfSectionType;
  /** Where its bytes begin in the image. Means nothing where it has none. */
  readonly dataOffset: number;
  /** How many bytes of it are in the image. 0: its pages start as zeros. */
  readonly rawSizeBytes: number;
  /** Guest physical address, page aligned. */
  readonly gpa: bigint;
  /** Its size in guest memory, whole pages, at least one. */
  readonly memorySizeBytes: bigint;
  /** MR.EXTEND: its content goes into MRTD. Its addresses do in any case. */
  readonly measured: boolean;
  /** PAGE.AUG: it may be added after the build. QEMU and tdctl add it with the others. */
  readonly pageAug: boolean;
}

/** The types that a launch can do something with: those that QEMU accepts. */
export type TdvfSectionType = 'BFV' | 'CFV' | 'TD_HOB' | 'TEMP_MEM';

export interface TdvfMetadata {
  /** Where the descriptor was found, and by which of the two ways. */
  readonly descriptor: DescriptorLocation;
  /** In metadata order, which is the order of launch and of measurement. */
  readonly sections: readonly TdvfSection[];
}

export interface DescriptorLocation {
  readonly offset: number;
  readonly foundBy: 'guided-table' | 'legacy-offset';
}

/** A firmware image that can start a TD. */
export interface FirmwareImage extends TdvfMetadata {
  readonly path: string;
  /** The separate variable store, where one was given. Its bytes come first in `bytes`. */
  readonly varsPath?: string;
  /** The whole image. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  /** SHA-256 of `bytes`, hex: with a variable store, that of the two files joined. */
  readonly sha256: string;
  /** The GPA of the first byte; the image ends at 4 GiB. */
  readonly loadAddress: bigint;
}

/** What TDVF metadata says of one piece of the TD's first memory. */
export interface TdvfSection {
  readonly type: TdvfSectionType;
  /** Where its bytes begin in the image. This means nothing where it has none there. */
  readonly dataOffset: number;
  /** How many bytes of it are in the image. At 0 its pages start as zeros. */
  readonly rawSizeBytes: number;
  /** The guest physical address, page aligned. */
  readonly gpa: bigint;
  /** Its size in bytes in guest memory: whole pages, at least one; 0 for TD_INFO and TD_PARAMS. */
  readonly memorySizeBytes: bigint;
  /** MR.EXTEND: its content goes into MRTD. Its addresses go there in any case. */
  readonly measured: boolean;
  /** PAGE.AUG: it may be added after the build. See isAddedAtBuild(). */
  readonly pageAug: boolean;
}

export type TdvfSectionType =
  | 'BFV'
  | 'CFV'
  | 'TD_HOB'
  | 'TEMP_MEM'
  | 'PERM_MEM'
  | 'PAYLOAD'
  | 'PAYLOAD_PARAM'
  | 'TD_INFO'
  | 'TD_PARAMS';

export interface TdvfMetadata {
  /** Where the descriptor was found, and by which of the two ways. */
  readonly descriptor: DescriptorLocation;
  /** The sections are in metadata order, which is the order of launch and of measurement. */
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
  /** The SHA-256 of `bytes` in hex; with a variable store, that of the two files joined. */
  readonly sha256: string;
  /** The GPA of the first byte, since the image ends at 4 GiB. */
  readonly loadAddress: bigint;
}

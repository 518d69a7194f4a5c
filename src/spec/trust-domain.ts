/** A TrustDomain file as tdctl works with it: read, checked, every default filled in. */
import type { FileSource } from '../documents/read.ts';

export interface TrustDomain {
  /** `metadata.name`, a DNS label. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** vCPUs that start with the TD. */
  readonly vcpus: number;
  /** vCPUs that are created: none can be added once the TD is finalized. At least `vcpus`. */
  readonly maxVcpus: number;
  readonly memoryBytes: bigint;
  /** Absolute paths. `varsPath` is there when code and variables are two files. */
  readonly firmware: { readonly path: string; readonly varsPath?: string };
  /** TD_PARAMS.ATTRIBUTES. */
  readonly attributes: bigint;
  /** TD_PARAMS.XFAM; undefined: all that the host supports. */
  readonly xfam: bigint | undefined;
  /** undefined: the host's own frequency. A multiple of 25 MHz otherwise. */
  readonly tscKhz: number | undefined;
  /** Guest physical address width in bits. */
  readonly gpaw: 48 | 52;
  /** 48 bytes each. */
  readonly identity: {
    readonly mrConfigId: Uint8Array;
    readonly mrOwner: Uint8Array;
    readonly mrOwnerConfig: Uint8Array;
  };
  readonly measurement: {
    /** 96 lower-case hex digits; undefined: nothing is expected. */
    readonly expect: string | undefined;
    readonly order: 'page' | 'section';
  };
  readonly source: FileSource;
}

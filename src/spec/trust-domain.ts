/** A TrustDomain file as tdctl works with it: read, checked, every default filled in. */
import type { FileSource } from '../documents/read.ts';
import type { Engine } from './engine.ts';
import type { QuoteSocket } from './quote-socket.ts';

export type * from './engine.ts';
export type { QuoteSocket };

export interface TrustDomain {
  /** `metadata.name`, a DNS label. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Who runs the TD. The engine with devices has what only that reads. */
  readonly engine: Engine;
  /** How many vCPUs start with the TD. */
  readonly vcpus: number;
  /** How many vCPUs are created, at least `vcpus`: none can be added once the TD is finalized. */
  readonly maxVcpus: number;
  readonly memoryBytes: bigint;
  /** Both paths are absolute. `varsPath` is there when code and variables are two files. */
  readonly firmware: { readonly path: string; readonly varsPath?: string };
  /** What an ordinary VM starts in place of the firmware. */
  readonly boot: BootFiles | undefined;
  /** Where COM1 goes; undefined stands for nowhere. */
  readonly console: ConsolePlace | undefined;
  /** The quote generation service of the host; undefined stands for none. */
  readonly quotes: QuoteSocket | undefined;
  /** TD_PARAMS.ATTRIBUTES. */
  readonly attributes: bigint;
  /** TD_PARAMS.XFAM; undefined stands for all that the host supports. */
  readonly xfam: bigint | undefined;
  /** A multiple of 25 MHz; undefined stands for the host's own frequency. */
  readonly tscKhz: number | undefined;
  /** The guest physical address width in bits. */
  readonly gpaw: 48 | 52;
  /** Each identity has 48 bytes. */
  readonly identity: {
    readonly mrConfigId: Uint8Array;
    readonly mrOwner: Uint8Array;
    readonly mrOwnerConfig: Uint8Array;
  };
  readonly measurement: {
    /** 96 lower-case hex digits; undefined where nothing is expected. */
    readonly expect: string | undefined;
    readonly order: 'page' | 'section';
  };
  readonly source: FileSource;
}

/** Paths are absolute. */
export interface BootFiles {
  readonly kernelPath: string;
  readonly initrdPath?: string;
  readonly cmdline: string;
}

/** Paths are absolute. */
export type ConsolePlace =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'file' | 'socket'; readonly path: string };

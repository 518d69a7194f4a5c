/** The command that starts a VMM for a TD, as data. Opening the files and starting the program is others' work. */
import type { ProgramAccess } from '../../files/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';

/** A TD that an engine with devices shall run, and what was found or chosen for this life of it. */
export interface VmmPlan {
  /** Its engine is one with devices. */
  readonly spec: TrustDomain;
  /** Absolute path of the VMM. */
  readonly program: string;
  /** It tells this life's process from any other: the keeper asks for it when it attaches again. */
  readonly uuid: string;
  /** The context ID that was reserved, where the file asks for vsock. */
  readonly vsockCid?: number | undefined;
  /** What each of `disks` consists of, from the layer that is written to downwards. */
  readonly disks: readonly (readonly DiskLayer[])[];
  /** The file in /dev/vfio/devices of each of `devices`. */
  readonly vfioFiles: readonly string[];
}

export interface DiskLayer {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly isBlockDevice: boolean;
}

/** Where the VMM meets its keeper. What is relative is in the directory, where the VMM is started. */
export interface VmmPlaces {
  /** A UNIX socket that the VMM makes, for QMP. */
  readonly monitor: string;
  /** A UNIX socket that the VMM makes, for the serial port of the guest. */
  readonly console: string;
  /** The VMM writes what the guest prints here as well, whether anybody listens or not. */
  readonly consoleLog?: string | undefined;
  /** The TD's own directory, absolute. */
  readonly directory: string;
}

/** A file that is opened by us, and has this number in the program. */
export interface VmmFile {
  readonly fd: number;
  readonly path: string;
  readonly access: ProgramAccess;
}

export interface VmmCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly files: readonly VmmFile[];
}

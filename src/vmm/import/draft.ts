/** A TrustDomain in the making, and what of the definition it is made from has no place in it. */

export interface NotTaken {
  /** `vm.xml:12:5`, or the command. */
  readonly place: string;
  /** As it stands in the definition. */
  readonly what: string;
  readonly why: string;
}

export interface DraftDisk {
  readonly path: string;
  readonly format?: 'raw' | 'qcow2';
  readonly readOnly?: true;
  readonly serial?: string;
  readonly discard?: true;
  readonly aio?: 'threads' | 'native' | 'io_uring';
}

export interface DraftNetwork {
  user?: { forward?: string[] };
  tap?: string;
  bridge?: string;
  vhostUser?: string;
  mac?: string;
  queues?: number;
}

/** The fields of `spec` as a file has them. */
export interface DraftSpec {
  engine: 'qemu';
  vcpus?: number;
  memory?: string;
  firmware?: string;
  boot?: { kernel?: string; initrd?: string; cmdline?: string };
  console?: { log?: string; socket?: string };
  quotes?: { socket: string };
  disks?: DraftDisk[];
  networks?: DraftNetwork[];
  vsock?: number | 'auto';
  devices?: { vfio: string }[];
  onReboot?: 'stop' | 'restart';
  onPanic?: 'stop' | 'keep';
  attributes?: string;
  tsc?: string;
  identity?: { mrConfigId?: string; mrOwner?: string; mrOwnerConfig?: string };
  qemu?: { binary?: string; extraArgs?: string[] };
}

export class Draft {
  name: string | undefined;
  readonly spec: DraftSpec = { engine: 'qemu' };
  readonly notTaken: NotTaken[] = [];
  /** Whether the definition is of a TD. */
  isTd = false;

  leave(place: string, what: string, why: string): void {
    this.notTaken.push({ place, what, why });
  }

  disk(disk: DraftDisk): void {
    this.spec.disks = [...(this.spec.disks ?? []), disk];
  }

  network(network: DraftNetwork): void {
    this.spec.networks = [...(this.spec.networks ?? []), network];
  }

  device(vfio: string): void {
    this.spec.devices = [...(this.spec.devices ?? []), { vfio }];
  }
}

/** What is said where a thing has no field. */
export const noField = 'there is no field for it';

/** QEMU and libvirt leave the domain out where it is 0000. */
export function pciAddress(text: string): string {
  return text.length === '17:00.0'.length ? `0000:${text.toLowerCase()}` : text.toLowerCase();
}

/** A mask, as the file writes it. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

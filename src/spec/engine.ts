/** What only an engine with devices reads of a TrustDomain file. All paths are absolute. */

export type Engine = { readonly kind: 'builtin' } | QemuEngine;

export interface QemuEngine {
  readonly kind: 'qemu';
  /** A path, or the name of a program that is looked for in PATH. */
  readonly binary: string;
  /** Words that follow those of tdctl. With any of them the TD is not reproducible. */
  readonly extraArgs: readonly string[];
  readonly disks: readonly Disk[];
  readonly networks: readonly Network[];
  /** The context ID of the guest; `auto` is chosen when the name of the TD is taken. */
  readonly vsock: number | 'auto' | undefined;
  readonly devices: readonly PassedDevice[];
  readonly console: { readonly logPath?: string; readonly socketPath?: string };
  readonly onReboot: 'restart' | 'stop';
  readonly onPanic: 'stop' | 'keep';
}

export interface Disk {
  /** A file or a block device. */
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
  readonly serial?: string;
  /** Whether what the guest discards is given back to the host. */
  readonly discard: boolean;
  readonly aio: 'threads' | 'native' | 'io_uring';
}

export interface Network {
  readonly backend: NetworkBackend;
  readonly mac?: string;
  readonly queues: number;
}

export type NetworkBackend =
  | { readonly kind: 'user'; readonly forwards: readonly PortForward[] }
  | { readonly kind: 'tap'; readonly interface: string }
  | { readonly kind: 'bridge'; readonly bridge: string }
  | { readonly kind: 'vhostUser'; readonly socketPath: string };

export interface PortForward {
  readonly protocol: 'tcp' | 'udp';
  /** An IPv4 address of the host. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** A PCI device of the host, as `0000:17:00.0`. */
export interface PassedDevice {
  readonly vfio: string;
}

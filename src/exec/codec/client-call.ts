/** An ioctl of a client, and what is asked about its process meanwhile. */
import type { Handle, KernelAbi } from '../../simulator/index.ts';

/** The memory of the calling process. undefined and false are EFAULT. */
export interface ClientMemory {
  read(address: bigint, length: number): Uint8Array | undefined;
  write(address: bigint, bytes: Uint8Array): boolean;
}

/** What an fd names in the calling process; undefined: it is not open. */
export type FdTarget =
  | { readonly kind: 'ours'; readonly handle: Handle }
  /** `id` as in EventfdFact of the simulator: `eventfd-id` in /proc/PID/fdinfo/FD. */
  | { readonly kind: 'eventfd'; readonly id: number }
  | { readonly kind: 'other' }
  | undefined;

export type FileKind = 'system' | 'vm' | 'vcpu' | 'guest_memfd' | 'stats';

export interface ClientCall {
  readonly file: FileKind;
  /** The second argument of ioctl(): unsigned, 32 bits. */
  readonly number: number;
  /** The third: unsigned, 64 bits. */
  readonly arg: bigint;
  readonly memory: ClientMemory;
  /** Asked for an fd inside a struct, where the kernel would look it up. Unsigned, 32 bits. */
  fd(number: number): FdTarget;
  /** Of a vCPU: the bytes it shares with the client; without them an exit is seen by nobody. */
  readonly runPage?: Uint8Array | undefined;
  /** Decides the layout of the struct of KVM_TDX_INIT_VM. */
  readonly kernelAbi: KernelAbi;
}

/** An ioctl of a client, and what is asked about its process meanwhile. */
import type { FileKind, Handle, KernelAbi, MadeFile } from '../../simulator/index.ts';

export type { FileKind };

/** The memory of the calling process. An access that answers undefined or false is an EFAULT. */
export interface ClientMemory {
  read(address: bigint, length: number): Uint8Array | undefined;
  write(address: bigint, bytes: Uint8Array): boolean;
}

/** What an fd names in the calling process; undefined where it is not open. */
export type FdTarget =
  | { readonly kind: 'ours'; readonly handle: Handle }
  /** The `id` is what EventfdFact of the simulator has: `eventfd-id` in /proc/PID/fdinfo/FD. */
  | { readonly kind: 'eventfd'; readonly id: number }
  | { readonly kind: 'other' }
  | undefined;

export interface ClientCall {
  readonly file: FileKind;
  /** The second argument of ioctl(), which has 32 bits, unsigned. */
  readonly number: number;
  /** The third argument, which has 64 bits, unsigned. */
  readonly arg: bigint;
  readonly memory: ClientMemory;
  /** Tells what an fd in a struct names, when the kernel would look it up. It has 32 bits, unsigned. */
  fd(number: number): FdTarget;
  /** Gives the process an fd of a file that the call has made; undefined where there is no room. */
  giveFile?(made: MadeFile): number | undefined;
  /** A vCPU shares these bytes with the client; without them nobody sees its exits. */
  readonly runPage?: Uint8Array | undefined;
  /** The kernel ABI decides the layout of the struct of KVM_TDX_INIT_VM. */
  readonly kernelAbi: KernelAbi;
}

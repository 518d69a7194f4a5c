/** Who makes a call, and what the kernel reads and writes of that process. */

import type { MadeFile } from '../interface.ts';

/** A file description. Positive, never used twice. */
export type Handle = number;

/** Who makes a call. The kernel looks at all of it. */
export interface Caller {
  /** Identity of the address space: a VM answers EIO to any other than its creator's. */
  readonly mm: number;
  /** Path of the caller's misc cgroup; `/` is the root. */
  readonly cgroup: string;
  readonly memory: UserMemory;
  pendingSignal(): 'none' | 'ordinary' | 'fatal';
  /** Whether its file table has room (RLIMIT_NOFILE); without the function it always has. */
  hasDescriptor?(): boolean;
}

/** The caller's pages, for what the kernel reads besides the structs of a request. */
export interface UserMemory {
  /** `length` bytes, good until the call returns; undefined where they cannot be read (EFAULT). */
  read(address: bigint, length: number): Uint8Array | undefined;
}

/** Where the kernel writes the number of a new fd, which a caller without fds knows as the handle. */
export interface UserFile {
  writeFile(made: MadeFile): boolean;
}

/** A struct in the caller's memory. undefined and false are faults. */
export interface UserStruct<T> {
  read(): T | undefined;
  write(value: T): boolean;
}

/** Memory of the caller that the kernel moves whole. The model says how much, and from where. */
export interface UserBytes {
  /** @param offset in bytes from the pointer that the request has; default 0 */
  read(length: number, offset?: number): Uint8Array | undefined;
  write(bytes: Uint8Array, offset?: number): boolean;
}

/** Who makes a call, and what the kernel reads and writes of that process. */

/** A file description. Positive, never used twice. */
export type Handle = number;

/**
 * A file that a call has made: the program gets an fd of it. Its handle is the value of the answer, or
 * was given to the {@link UserFile} of the request.
 */
export type MadeFile = { readonly handle: Handle } & (
  | { readonly kind: 'system' | 'vm' | 'device' }
  | { readonly kind: 'stats'; readonly sizeBytes: bigint }
  | { readonly kind: 'vcpu'; readonly id: number }
  /** `mappable`: with GUEST_MEMFD_FLAG_MMAP, and then by MAP_SHARED alone. */
  | { readonly kind: 'guest_memfd'; readonly sizeBytes: bigint; readonly mappable: boolean }
);

export type FileKind = MadeFile['kind'];

/** Who makes a call. The kernel looks at all of it. */
export interface Caller {
  /** Identity of the address space: a VM answers EIO to any other than its creator's. */
  readonly mm: number;
  /** task_pid_nr(): names of statistics have it. Absent: the number of the address space stands for it. */
  readonly tid?: number;
  /** Path of the caller's misc cgroup; `/` is the root. */
  readonly cgroup: string;
  readonly memory: UserMemory;
  pendingSignal(): 'none' | 'ordinary' | 'fatal';
  /** Whether it has CAP_SYS_BOOT in the first user namespace. Absent: it has. */
  mayReboot?(): boolean;
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

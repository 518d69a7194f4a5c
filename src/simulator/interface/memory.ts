/** Requests about guest memory: slots, guest_memfd, attributes, logs of what was written. */
import type { Handle, UserBytes, UserStruct } from './caller.ts';

/**
 * What an fd in a struct names, where the kernel wants a guest_memfd: a file of this machine, of whatever
 * kind; `another file`; undefined, no open file.
 */
export type GuestMemfdFact = Handle | 'another file' | undefined;

/** `struct kvm_userspace_memory_region2`; the first five fields are the older struct. */
export interface MemoryRegionStruct {
  readonly slot: number;
  readonly flags: number;
  readonly guestPhysAddr: bigint;
  readonly memorySize: bigint;
  readonly userspaceAddr: bigint;
  readonly guestMemfdOffset: bigint;
  readonly guestMemfd: GuestMemfdFact;
}

export interface CreateGuestMemfdStruct {
  readonly size: bigint;
  readonly flags: bigint;
}

/** Proposed, in no kernel: a second guest_memfd on the pages of a first, for another VM. */
export interface LinkGuestMemfdStruct {
  readonly guestMemfd: GuestMemfdFact;
  readonly flags: bigint;
}

/** `struct kvm_pre_fault_memory`; written back advanced by what was mapped. */
export interface PreFaultMemoryStruct {
  readonly gpa: bigint;
  readonly size: bigint;
  readonly flags: bigint;
}

export interface MemoryAttributesStruct {
  readonly address: bigint;
  readonly size: bigint;
  readonly attributes: bigint;
  readonly flags: bigint;
}

/** `struct kvm_dirty_log`, without its pointer. */
export interface DirtyLogStruct {
  readonly slot: number;
}

/** `struct kvm_clear_dirty_log`, without its pointer. */
export interface ClearDirtyLogStruct {
  readonly slot: number;
  readonly numPages: number;
  readonly firstPage: bigint;
}

/** `struct kvm_enc_region`: SEV pins memory with it. */
export interface EncRegionStruct {
  readonly addr: bigint;
  readonly size: bigint;
}

/** fallocate(), a system call, on any file of KVM's; only a guest_memfd has memory. */
export interface FallocateRequest {
  readonly request: 'fallocate';
  readonly mode: number;
  readonly offset: bigint;
  readonly length: bigint;
}

/** On a VM. */
export type MemoryRequest =
  | {
      readonly request: 'KVM_SET_USER_MEMORY_REGION' | 'KVM_SET_USER_MEMORY_REGION2';
      readonly region: UserStruct<MemoryRegionStruct>;
    }
  | {
      readonly request: 'KVM_CREATE_GUEST_MEMFD';
      readonly create: UserStruct<CreateGuestMemfdStruct>;
    }
  | {
      readonly request: 'KVM_LINK_GUEST_MEMFD';
      readonly link: UserStruct<LinkGuestMemfdStruct>;
    }
  | {
      readonly request: 'KVM_SET_MEMORY_ATTRIBUTES';
      readonly attributes: UserStruct<MemoryAttributesStruct>;
    }
  | {
      readonly request: 'KVM_GET_DIRTY_LOG';
      readonly log: UserStruct<DirtyLogStruct>;
      /** Where `log` points to, as it was read last. */
      readonly bitmap: UserBytes;
    }
  | {
      readonly request: 'KVM_CLEAR_DIRTY_LOG';
      readonly log: UserStruct<ClearDirtyLogStruct>;
      readonly bitmap: UserBytes;
    }
  | {
      readonly request: 'KVM_MEMORY_ENCRYPT_REG_REGION' | 'KVM_MEMORY_ENCRYPT_UNREG_REGION';
      readonly region: UserStruct<EncRegionStruct>;
    };

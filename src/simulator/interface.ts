/**
 * What a caller of the simulated host sees: ABI-shaped and byte-free.
 *
 * One request is one ioctl, named by the kernel's constant and sent to a handle (a file description
 * of /dev/kvm, a VM, a vCPU or a guest_memfd). Values that an ioctl takes in registers are plain
 * fields. A struct that an ioctl takes by pointer is a {@link UserStruct}: the kernel model reads and
 * writes it at the moment the kernel would, perhaps twice, and it may fault each time. So a fault
 * (EFAULT) falls between the state checks exactly where the kernel copies in or out, for a caller
 * that has typed values as for one that has bytes in another process. What the kernel writes back
 * (a hw_error, an advanced region, a needed count) is written through the same object.
 *
 * Everything but KVM_RUN is synchronous. Release of a handle is the last close of its file
 * description.
 */
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { CpuidEntry } from '../abi/kvm/structs.ts';

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
}

/** The caller's pages, for what the kernel reads besides the structs of a request. */
export interface UserMemory {
  /** `length` bytes, good until the call returns; undefined where they cannot be read (EFAULT). */
  read(address: bigint, length: number): Uint8Array | undefined;
}

/** A struct in the caller's memory. undefined and false are faults. */
export interface UserStruct<T> {
  read(): T | undefined;
  write(value: T): boolean;
}

/** `struct kvm_cpuid2`: the kernel copies its header and its entries at different moments. */
export interface UserCpuid {
  readHeader(): CpuidHeader | undefined;
  readEntries(nent: number): readonly CpuidEntry[] | undefined;
  writeHeader(header: CpuidHeader): boolean;
  writeEntries(entries: readonly CpuidEntry[]): boolean;
}

export interface CpuidHeader {
  readonly nent: number;
  readonly padding: number;
}

/** `struct kvm_tdx_init_vm`: cpuid.nent is read alone first, then the whole struct. */
export interface UserInitVm {
  readNent(): number | undefined;
  /** The struct with room for `nent` entries. */
  read(nent: number): InitVmStruct | undefined;
}

/** `struct kvm_tdx_capabilities`: cpuid.nent is read, then the whole struct is written. */
export interface UserCapabilities {
  readNent(): number | undefined;
  write(value: CapabilitiesStruct): boolean;
}

/** `struct kvm_tdx_cmd`. `data` matters to the core only where it is no pointer (INIT_VCPU). */
export interface TdxCommandStruct {
  readonly id: number;
  readonly flags: number;
  readonly data: bigint;
  readonly hwError: bigint;
}

export interface InitVmStruct {
  readonly attributes: bigint;
  readonly xfam: bigint;
  /** Only the structs of some patch series have it; the others look at no such field. */
  readonly maxVcpus?: number | undefined;
  /** 48 bytes each. */
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  /** Any non-zero word is EINVAL. */
  readonly reserved: readonly bigint[];
  readonly cpuid: CpuidHeader & { readonly entries: readonly CpuidEntry[] };
}

export interface CapabilitiesStruct {
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** Bit n: user space may answer TDVMCALL n of GetTdVmCallInfo leaf 1. */
  readonly userTdvmcallInfo1R11: bigint;
  readonly cpuid: readonly CpuidEntry[];
}

export interface EnableCapStruct {
  readonly cap: number;
  readonly flags: number;
  /**
   * Up to four; missing ones are 0. Where a capability takes an fd (VM_MOVE_ENC_CONTEXT_FROM), the
   * handle of the file behind it, and 0 for an fd that names no open file.
   */
  readonly args: readonly bigint[];
}

/** `struct kvm_userspace_memory_region2`; the first five fields are the older struct. */
export interface MemoryRegionStruct {
  readonly slot: number;
  readonly flags: number;
  readonly guestPhysAddr: bigint;
  readonly memorySize: bigint;
  readonly userspaceAddr: bigint;
  readonly guestMemfdOffset: bigint;
  /** undefined: the fd names no open file. A handle of another kind: not a guest_memfd. */
  readonly guestMemfd: Handle | undefined;
}

export interface CreateGuestMemfdStruct {
  readonly size: bigint;
  readonly flags: bigint;
}

/** Proposed, in no kernel: a second guest_memfd on the pages of a first, for another VM. */
export interface LinkGuestMemfdStruct {
  /** undefined: the fd names no open file. */
  readonly guestMemfd: Handle | undefined;
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

export interface InitMemRegionStruct {
  readonly sourceAddr: bigint;
  readonly gpa: bigint;
  readonly nrPages: bigint;
}

/** Requests to a handle of /dev/kvm. */
export type SystemRequest =
  | { readonly request: 'KVM_GET_API_VERSION'; readonly arg: bigint }
  | { readonly request: 'KVM_CREATE_VM'; readonly type: number }
  | { readonly request: 'KVM_CHECK_EXTENSION'; readonly capability: number }
  | { readonly request: 'KVM_GET_VCPU_MMAP_SIZE'; readonly arg: bigint }
  | { readonly request: 'KVM_GET_SUPPORTED_CPUID'; readonly cpuid: UserCpuid };

/** Requests to a VM handle. */
export type VmRequest =
  | { readonly request: 'KVM_CHECK_EXTENSION'; readonly capability: number }
  | { readonly request: 'KVM_ENABLE_CAP'; readonly cap: UserStruct<EnableCapStruct> }
  | { readonly request: 'KVM_CREATE_IRQCHIP' }
  | { readonly request: 'KVM_CREATE_VCPU' | 'KVM_SET_BOOT_CPU_ID'; readonly id: number }
  | { readonly request: 'KVM_SET_TSC_KHZ'; readonly tscKhz: number }
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
    };

/** Requests to a vCPU handle; for KVM_RUN see {@link RunRequest}. */
export type VcpuRequest =
  | {
      readonly request: 'KVM_PRE_FAULT_MEMORY';
      readonly range: UserStruct<PreFaultMemoryStruct>;
    }
  | { readonly request: 'KVM_SET_CPUID2'; readonly cpuid: UserCpuid }
  | { readonly request: 'KVM_SET_TSC_KHZ'; readonly tscKhz: number };

/**
 * KVM_MEMORY_ENCRYPT_OP. A caller with bytes reads the id of the command to choose the request; a
 * command that it cannot read, or of an id without a name here, goes as KVM_MEMORY_ENCRYPT_OP.
 */
export type TdxRequest =
  | { readonly request: 'KVM_MEMORY_ENCRYPT_OP'; readonly cmd: UserStruct<TdxCommandStruct> }
  | {
      readonly request: 'KVM_TDX_CAPABILITIES';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserCapabilities;
    }
  | {
      readonly request: 'KVM_TDX_INIT_VM';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserInitVm;
    }
  | {
      readonly request: 'KVM_TDX_INIT_VCPU' | 'KVM_TDX_FINALIZE_VM' | 'KVM_TDX_TERMINATE_VM';
      readonly cmd: UserStruct<TdxCommandStruct>;
    }
  | {
      readonly request: 'KVM_TDX_INIT_MEM_REGION';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserStruct<InitMemRegionStruct>;
    }
  | {
      readonly request: 'KVM_TDX_GET_CPUID';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserCpuid;
    };

/** KVM_RUN, which goes to `run()` of the machine: it does not answer at once. */
export interface RunRequest {
  readonly request: 'KVM_RUN';
  /** Must be 0. */
  readonly arg: bigint;
  readonly page: RunPage;
}

/** `struct kvm_run`, the page that a vCPU shares with user space. */
export interface RunPage {
  /** Read as KVM_RUN begins. */
  read(): RunPageInput;
  /** Written before KVM_RUN answers. */
  writeExit(exit: VcpuExit): void;
}

export interface RunPageInput {
  readonly immediateExit: boolean;
  /** kvm_valid_regs | kvm_dirty_regs: EINVAL on a TD unless 0. */
  readonly syncRegs: bigint;
  /** What user space answers to the exit before: hypercall.ret, tdx.*.ret, or the data of an IN. */
  readonly result: bigint;
}

/** Why KVM_RUN returned (kernel-abi 1.4); names and fields as in `struct kvm_run`. */
export type VcpuExit =
  | { readonly reason: 'KVM_EXIT_INTR' | 'KVM_EXIT_SHUTDOWN' }
  | {
      readonly reason: 'KVM_EXIT_IO';
      readonly direction: 'in' | 'out';
      readonly port: number;
      readonly sizeBytes: 1 | 2 | 4;
      /** What an OUT wrote. */
      readonly data: bigint;
    }
  | {
      /** Of a TD: MapGPA, as KVM_HC_MAP_GPA_RANGE. */
      readonly reason: 'KVM_EXIT_HYPERCALL';
      readonly nr: number;
      readonly args: readonly bigint[];
      readonly flags: bigint;
    }
  | { readonly reason: 'KVM_EXIT_INTERNAL_ERROR'; readonly suberror: number }
  | {
      readonly reason: 'KVM_EXIT_SYSTEM_EVENT';
      readonly type: number;
      readonly data: readonly bigint[];
    }
  | {
      /** The one exit with an errno: KVM_RUN fails with it. */
      readonly reason: 'KVM_EXIT_MEMORY_FAULT';
      readonly errno: 'EFAULT' | 'EHWPOISON';
      readonly flags: bigint;
      readonly gpa: bigint;
      readonly size: bigint;
    }
  | { readonly reason: 'KVM_EXIT_TDX'; readonly nr: number; readonly data: readonly bigint[] };

/** A KVM_RUN under way. */
export interface PendingRun {
  readonly answer: Promise<Answer>;
  /** A signal for the thread that waits: EINTR, unless it has answered already. */
  cancel(): void;
}

/** Stands for the guest's code: decides what a vCPU that runs does next. */
export interface GuestScript {
  /** @param cancelled aborts when nobody waits for the exit any more. */
  run(vcpu: RunningVcpu, cancelled: AbortSignal): GuestEvent | Promise<GuestEvent>;
}

/** `touches unaccepted memory`: kvm_vm_dead, EIO. */
export type GuestEvent = VcpuExit | 'touches unaccepted memory';

export interface RunningVcpu {
  /** Identity of the guest, which a move to another VM keeps. */
  readonly guest: number;
  readonly vcpuId: number;
  /** What user space answered to the exit before. */
  readonly result: bigint;
}

export type Request = SystemRequest | VmRequest | VcpuRequest | TdxRequest;

/** `value` is what the ioctl returns: 0, a number, or a new handle. */
export type Answer =
  | { readonly ok: true; readonly value: number }
  | {
      readonly ok: false;
      readonly errno: ErrnoName;
      /** The status word written back in the command, where that was done and is not 0. */
      readonly hwError: bigint | undefined;
    };

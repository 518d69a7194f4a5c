/**
 * What a caller of the simulated host sees: ABI-shaped and byte-free.
 *
 * One request is one ioctl, named by the kernel's constant and sent to a handle (a file description
 * of /dev/kvm, a VM, a vCPU, a guest_memfd or statistics). Values that an ioctl takes in registers are
 * plain fields. A struct that an ioctl takes by pointer is a {@link UserStruct}: the kernel model reads
 * and writes it at the moment the kernel would, perhaps twice, and it may fault each time. So a fault
 * (EFAULT) falls between the state checks exactly where the kernel copies in or out, for a caller
 * that has typed values as for one that has bytes in another process. What the kernel writes back
 * (a hw_error, an advanced region, a needed count) is written through the same object. A struct that
 * points to more has a second object for what it points to (`data`, `bitmap`, `value`): the pointer is
 * that of the last read. What the model need not understand is moved as {@link UserBytes}.
 *
 * KVM_RUN answers later, and so does a call that comes to a lock which it holds. All else is synchronous.
 * Release of a handle is the last close of its file description.
 */
import type { CheckName } from '../abi/kvm/checks/index.ts';
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { ModuleCheckName } from '../abi/tdx/checks/index.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import type {
  AnnouncedVcpuRequest,
  AnnouncedVmRequest,
  HypervCpuidRequest,
} from './interface/announced.ts';
import type { MadeFile, UserBytes, UserStruct } from './interface/caller.ts';
import type { UserCpuid } from './interface/cpuid.ts';
import type { InterruptRequest } from './interface/interrupts.ts';
import type {
  FallocateRequest,
  GuestMemfdRequest,
  MemoryRequest,
  PreFaultMemoryStruct,
} from './interface/memory.ts';
import type { MsrFilterRequest, MsrListRequest, MsrsRequest } from './interface/msrs.ts';
import type { TdxRequest } from './interface/tdx.ts';
import type { VcpuStateRequest } from './interface/vcpu-state.ts';

export type * from './interface/announced.ts';
export type * from './interface/caller.ts';
export type * from './interface/cpuid.ts';
export type * from './interface/interrupts.ts';
export type * from './interface/memory.ts';
export type * from './interface/msrs.ts';
export type * from './interface/run.ts';
export type * from './interface/tdx.ts';
export type * from './interface/vcpu-state.ts';

export interface EnableCapStruct {
  readonly cap: number;
  readonly flags: number;
  /**
   * Up to four; missing ones are 0. Where a capability takes an fd (VM_MOVE_ENC_CONTEXT_FROM), the
   * handle of the file behind it, and 0 for an fd that names no open file.
   */
  readonly args: readonly bigint[];
}

/** `struct kvm_device_attr`, without its pointer. */
export interface DeviceAttrStruct {
  readonly flags: number;
  readonly group: number;
  readonly attr: bigint;
}

/** `struct kvm_clock_data` */
export interface ClockStruct {
  /** Nanoseconds of the guest's kvmclock. */
  readonly clock: bigint;
  readonly flags: number;
  /** Nanoseconds since 1970 when `clock` was read. */
  readonly realtime: bigint;
  /** The host's TSC at the same moment. */
  readonly hostTsc: bigint;
}

/** An ioctl for which a caller has no decoder: the errno is that of its kind of file. */
export interface UnknownRequest {
  readonly request: 'unknown ioctl';
  readonly number: number;
}

/** What an fd names where the kernel wants a file of VFIO's; none of those is known. */
export type VfioFileFact = 'not open' | 'another file';

/** On /dev/kvm, a vCPU and a device: the attribute, and where its value is. */
export interface DeviceAttrRequest {
  readonly request: 'KVM_GET_DEVICE_ATTR' | 'KVM_SET_DEVICE_ATTR' | 'KVM_HAS_DEVICE_ATTR';
  readonly attr: UserStruct<DeviceAttrStruct>;
  /** Where `attr` points to, as it was read last. */
  readonly value: UserStruct<bigint>;
  /** The same place, where a device has the fd of a file. */
  readonly file?: UserStruct<VfioFileFact>;
}

/** KVM_GET_STATS_FD on a VM or a vCPU. The value is a new handle. */
export interface StatsRequest {
  readonly request: 'KVM_GET_STATS_FD';
}

/** Requests to a handle of /dev/kvm. */
export type SystemRequest =
  | { readonly request: 'KVM_GET_API_VERSION'; readonly arg: bigint }
  | { readonly request: 'KVM_CREATE_VM'; readonly type: number }
  | { readonly request: 'KVM_CHECK_EXTENSION'; readonly capability: number }
  | { readonly request: 'KVM_GET_VCPU_MMAP_SIZE'; readonly arg: bigint }
  | {
      readonly request: 'KVM_GET_SUPPORTED_CPUID' | 'KVM_GET_EMULATED_CPUID';
      readonly cpuid: UserCpuid;
    }
  | { readonly request: 'KVM_X86_GET_MCE_CAP_SUPPORTED'; readonly mceCap: UserStruct<bigint> }
  | HypervCpuidRequest
  | MsrListRequest
  | MsrsRequest
  | DeviceAttrRequest
  | UnknownRequest;

/** Requests to a VM handle. */
export type VmRequest =
  | { readonly request: 'KVM_CHECK_EXTENSION'; readonly capability: number }
  | { readonly request: 'KVM_ENABLE_CAP'; readonly cap: UserStruct<EnableCapStruct> }
  | { readonly request: 'KVM_CREATE_VCPU' | 'KVM_SET_BOOT_CPU_ID'; readonly id: number }
  | { readonly request: 'KVM_SET_TSC_KHZ'; readonly tscKhz: number }
  | { readonly request: 'KVM_GET_TSC_KHZ' }
  | { readonly request: 'KVM_SET_TSS_ADDR'; readonly addr: bigint }
  | { readonly request: 'KVM_SET_IDENTITY_MAP_ADDR'; readonly addr: UserStruct<bigint> }
  | { readonly request: 'KVM_SET_NR_MMU_PAGES'; readonly pages: bigint }
  | { readonly request: 'KVM_GET_CLOCK' | 'KVM_SET_CLOCK'; readonly clock: UserStruct<ClockStruct> }
  | MemoryRequest
  | InterruptRequest
  | AnnouncedVmRequest
  | MsrFilterRequest
  | StatsRequest
  | UnknownRequest;

/** Requests to a vCPU handle; for KVM_RUN see RunRequest. */
export type VcpuRequest =
  | {
      readonly request: 'KVM_PRE_FAULT_MEMORY';
      readonly range: UserStruct<PreFaultMemoryStruct>;
    }
  | { readonly request: 'KVM_SET_CPUID2'; readonly cpuid: UserCpuid }
  | { readonly request: 'KVM_SET_TSC_KHZ'; readonly tscKhz: number }
  | { readonly request: 'KVM_GET_TSC_KHZ' }
  | {
      readonly request: 'KVM_ENABLE_CAP';
      readonly cap: UserStruct<EnableCapStruct>;
      /** Where the first argument leads, as some capabilities have it. Absent: to room for what is told. */
      readonly pointee?: UserBytes;
    }
  | AnnouncedVcpuRequest
  | HypervCpuidRequest
  | VcpuStateRequest
  | MsrsRequest
  | DeviceAttrRequest
  | StatsRequest
  | UnknownRequest;

/** A call under way that does not answer at once. */
export interface PendingAnswer {
  readonly answer: Promise<Answer>;
  /** A signal for the thread that waits: EINTR, unless it has answered already. */
  cancel(): void;
}

export type Request =
  | SystemRequest
  | VmRequest
  | VcpuRequest
  | GuestMemfdRequest
  | TdxRequest
  | FallocateRequest;

/** What a caller that knows its ioctls makes. */
export type KnownRequest = Exclude<Request, UnknownRequest>;

export interface LeafStatus {
  readonly name: SeamcallName;
  readonly status: bigint;
}

/** `value` is what the ioctl returns: 0, a number, or a new handle. */
export type Answer =
  | { readonly ok: true; readonly value: number; readonly made?: MadeFile }
  | {
      readonly ok: false;
      readonly errno: ErrnoName;
      /** The status word written back in the command, where that was done and is not 0. */
      readonly hwError: bigint | undefined;
      /** The row of the book that refused; undefined: a fault that was injected before any check. */
      readonly check: CheckName | undefined;
      /** The row of the TDX module behind it, where a leaf was refused by one. */
      readonly moduleCheck?: ModuleCheckName;
      /** The leaf that failed, and so the call. */
      readonly leaf?: LeafStatus;
    };

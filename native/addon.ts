/**
 * What the compiled addon exports, written by hand. One ioctl, one method, no policy: the host
 * layer (src/host) decides, this only calls.
 *
 * - Every method that calls the kernel does so off the main thread and returns a promise. It never
 *   throws: misuse (a wrong type, a number out of range) rejects with TypeError or RangeError, a
 *   refusal by the kernel with {@link NativeError}. Only a wrong `this` throws at once.
 * - Objects are made by the methods that return them; their constructors refuse to be called.
 * - `close()` is idempotent. It lets calls in flight end, then closes off the main thread. Using a
 *   closed object rejects with `code: 'EBADF'`.
 * - 64-bit addresses, sizes and masks are BigInt.
 */
import type { RequestName } from '../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../src/abi/kvm/structs.ts';
import type { SupervisorClass } from './supervisor.ts';

/** A refused system call. */
export interface NativeError extends Error {
  readonly syscall: 'ioctl' | 'open' | 'mmap';
  readonly errno: number;
  /** `EINVAL` and the like, or `errno N` for a number without a known name. */
  readonly code: string;
  /** What was asked, where `syscall` is `ioctl`: the TDX command rather than KVM_MEMORY_ENCRYPT_OP. */
  readonly request?: RequestName;
  /** The SEAMCALL status, where the kernel wrote one into `kvm_tdx_cmd.hw_error`. */
  readonly hwStatus?: bigint;
  /** The file, where `syscall` is `open`. */
  readonly path?: string;
}

interface FdObject {
  /** The file descriptor, for a look into /proc; -1 once closed. Never close it yourself. */
  readonly fd: number;
  close(): Promise<void>;
}

/** /dev/kvm. */
export interface System extends FdObject {
  /** KVM_GET_API_VERSION: 12. */
  kvmGetApiVersion(): Promise<number>;
  /** KVM_CHECK_EXTENSION on /dev/kvm. An unknown capability is 0. */
  kvmCheckExtension(capability: number): Promise<number>;
  /** KVM_CREATE_VM. `type` is a `vmTypes` number. EINVAL: the host does not offer it. */
  kvmCreateVm(type: number): Promise<Vm>;
  /** KVM_GET_VCPU_MMAP_SIZE: bytes of the shared `kvm_run` area of a vCPU. */
  kvmGetVcpuMmapSize(): Promise<number>;
  /** KVM_GET_SUPPORTED_CPUID. E2BIG is handled inside. */
  kvmGetSupportedCpuid(): Promise<CpuidEntry[]>;
}

/** A VM fd. */
export interface Vm extends FdObject {
  /** KVM_CHECK_EXTENSION on the VM. */
  kvmCheckExtension(capability: number): Promise<number>;
  /** KVM_ENABLE_CAP. At most four arguments; these and `flags` are 0 where left out. */
  kvmEnableCap(cap: {
    readonly capability: number;
    readonly flags?: number;
    readonly args?: readonly bigint[];
  }): Promise<void>;
  /** KVM_CREATE_IRQCHIP. A TD refuses it (ENOTTY): it takes KVM_CAP_SPLIT_IRQCHIP. */
  kvmCreateIrqchip(): Promise<void>;
  /** KVM_CREATE_VCPU. */
  kvmCreateVcpu(id: number): Promise<Vcpu>;
  /**
   * KVM_CREATE_VCPU for each id in order, in one trip to a worker thread. When one is refused, the
   * ones made before it are closed and the error says which id it was (`id`).
   */
  kvmCreateVcpus(ids: readonly number[]): Promise<Vcpu[]>;
  /** KVM_SET_TSC_KHZ on the VM: the default of vCPUs to come. 0 means the host's own. */
  kvmSetTscKhz(tscKhz: number): Promise<void>;
  /** KVM_SET_USER_MEMORY_REGION. */
  kvmSetUserMemoryRegion(region: UserMemoryRegion): Promise<void>;
  /** KVM_SET_USER_MEMORY_REGION2. */
  kvmSetUserMemoryRegion2(region: UserMemoryRegion2): Promise<void>;
  /** KVM_CREATE_GUEST_MEMFD. `flags` defaults to 0n. */
  kvmCreateGuestMemfd(options: {
    readonly sizeBytes: bigint;
    readonly flags?: bigint;
  }): Promise<GuestMemfd>;
  /** KVM_SET_MEMORY_ATTRIBUTES. `attributes` is KVM_MEMORY_ATTRIBUTE_PRIVATE or 0n. */
  kvmSetMemoryAttributes(range: {
    readonly gpa: bigint;
    readonly sizeBytes: bigint;
    readonly attributes: bigint;
  }): Promise<void>;
  /** KVM_TDX_CAPABILITIES. E2BIG is handled inside. */
  tdxCapabilities(): Promise<TdxCapabilities>;
  /** KVM_TDX_INIT_VM. */
  tdxInitVm(params: TdxInitVm): Promise<void>;
  /** KVM_TDX_FINALIZE_VM. */
  tdxFinalizeVm(): Promise<void>;
  /** KVM_TDX_TERMINATE_VM: posted, not in Linux 7.3, so EINVAL is a normal answer. */
  tdxTerminateVm(): Promise<void>;
}

/** A vCPU fd. */
export interface Vcpu extends FdObject {
  readonly id: number;
  /** KVM_SET_CPUID2. */
  kvmSetCpuid2(entries: readonly CpuidEntry[]): Promise<void>;
  /** KVM_SET_TSC_KHZ on the vCPU. Always EINVAL on a TD vCPU. */
  kvmSetTscKhz(tscKhz: number): Promise<void>;
  /** KVM_TDX_INIT_VCPU. `initialRcx` is what the firmware finds in RCX. */
  tdxInitVcpu(initialRcx: bigint): Promise<void>;
  /**
   * KVM_TDX_INIT_MEM_REGION, chunk by chunk, each continued on EAGAIN, EINTR and EBUSY with the
   * struct that the kernel advanced. Rejects with EINTR and `pagesDone` when `signal` aborts, and
   * with the kernel's errno when no page gets done for `stallTimeoutMs`.
   */
  tdxInitMemRegion(region: TdxInitMemRegion): Promise<void>;
  /** KVM_TDX_GET_CPUID. E2BIG is handled inside. */
  tdxGetCpuid(): Promise<CpuidEntry[]>;
}

/** A guest_memfd. It pins its VM. */
export interface GuestMemfd extends FdObject {
  readonly sizeBytes: bigint;
}

/**
 * Anonymous zeroed memory of this process, page aligned, not reserved in swap. It stays mapped
 * until it is closed and no slot and no call in flight points into it.
 */
export interface UserMemory {
  /** Where it is in this process. */
  readonly address: bigint;
  readonly sizeBytes: bigint;
  /** Copies `bytes` in. RangeError outside the mapping, EBADF once closed; throws at once. */
  write(offsetBytes: bigint, bytes: Uint8Array): void;
  /** Copies bytes out. RangeError outside the mapping, EBADF once closed; throws at once. */
  read(offsetBytes: bigint, lengthBytes: number): Uint8Array;
  close(): Promise<void>;
}

/** `struct kvm_userspace_memory_region`. A size of 0n deletes the slot and needs no `memory`. */
export interface UserMemoryRegion {
  readonly slot: number;
  /** KVM_MEM_READONLY and the like; 0 where left out. */
  readonly flags?: number;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  readonly memory?: UserMemory;
  /** Where in `memory` the slot begins; 0n where left out. */
  readonly memoryOffsetBytes?: bigint;
}

/** `struct kvm_userspace_memory_region2`. */
export interface UserMemoryRegion2 extends UserMemoryRegion {
  /** Private backing; sets KVM_MEM_GUEST_MEMFD. */
  readonly guestMemfd?: GuestMemfd;
  readonly guestMemfdOffsetBytes?: bigint;
}

/** `struct kvm_tdx_capabilities`. */
export interface TdxCapabilities {
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** GetTdVmCallInfo subleaf 1: TDVMCALLs the kernel answers, and those it hands to the VMM. */
  readonly kernelTdvmcallInfo1R11: bigint;
  readonly userTdvmcallInfo1R11: bigint;
  readonly kernelTdvmcallInfo1R12: bigint;
  readonly userTdvmcallInfo1R12: bigint;
  readonly configurableCpuid: CpuidEntry[];
}

/** `struct kvm_tdx_init_vm`. The three identities are 48 bytes each. */
export interface TdxInitVm {
  readonly attributes: bigint;
  readonly xfam: bigint;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly cpuid: readonly CpuidEntry[];
}

/** `struct kvm_tdx_init_mem_region`, and how to go about it. */
export interface TdxInitMemRegion {
  readonly source: UserMemory;
  readonly sourceOffsetBytes: bigint;
  readonly gpa: bigint;
  readonly pages: number;
  /** KVM_TDX_MEASURE_MEMORY_REGION or 0; 0 where left out. */
  readonly flags?: number;
  /** Looked at before each chunk. */
  readonly signal?: AbortSignal;
  /** Called after each chunk with the pages done so far. What it throws rejects the call. */
  readonly onProgress?: (pagesDone: number) => void;
  /** Pages in one ioctl: 512 (2 MiB) where left out. */
  readonly chunkPages?: number;
  /** How long EAGAIN, EINTR and EBUSY are borne without a page done: 30000 where left out. */
  readonly stallTimeoutMs?: number;
}

export interface Addon {
  readonly System: {
    /** Opens /dev/kvm, or the file named. */
    open(path?: string): Promise<System>;
  };
  readonly UserMemory: {
    /** mmap. `sizeBytes` is a multiple of 4096 above 0. */
    map(sizeBytes: bigint): Promise<UserMemory>;
  };
  readonly Supervisor: SupervisorClass;
  /** For `instanceof` only. */
  readonly Vm: { readonly prototype: Vm };
  readonly Vcpu: { readonly prototype: Vcpu };
  readonly GuestMemfd: { readonly prototype: GuestMemfd };
  /** How many fds of this environment were closed only because their object was collected. */
  leakedFds(): number;
  readonly testing: Testing;
}

/** Scripted answers in place of the kernel, and the facts the addon was compiled with. */
export interface Testing {
  /** From now on, ioctls of this environment are answered from the list, in order. */
  script(answers: readonly ScriptedAnswer[]): Script;
  /** Request numbers and TDX command ids by the kernel's name. */
  numbers(): Readonly<Record<string, number>>;
  /** Bytes of each struct by the kernel's name. */
  structSizes(): Readonly<Record<string, number>>;
}

export interface ScriptedAnswer {
  /** The request number expected. Another one is answered ENOSYS and marked in `calls()`. */
  readonly request: number;
  /** What ioctl returns: 0 where left out; `fd` is a real fd (of /dev/null). */
  readonly returns?: number | 'fd';
  /** Not 0: ioctl returns -1 and sets it. */
  readonly errno?: number;
  /** Written back over the start of the argument, also when `errno` is set. */
  readonly argument?: Uint8Array;
  /** Written over the start of what `kvm_tdx_cmd.data` points to. */
  readonly data?: Uint8Array;
  /** Do not answer before `release()`. */
  readonly hold?: boolean;
}

export interface RecordedCall {
  readonly fd: number;
  readonly request: number;
  readonly expected: boolean;
  /** The argument itself: the value, or the address of the struct. */
  readonly value: bigint;
  /** The struct as the kernel would have read it; empty for an argument by value. */
  readonly argument: Uint8Array;
  /** What `kvm_tdx_cmd.data` points to; empty where it is a value. */
  readonly data: Uint8Array;
}

export interface Script {
  /** What was called so far. */
  calls(): RecordedCall[];
  /** Lets the call that is held, or else the next to be held, go on. */
  release(): void;
  /** Puts the kernel back. */
  end(): void;
}

/**
 * What the compiled addon exports; these types are written by hand. One method makes one ioctl and
 * has no policy: the host layer (src/host) decides, and the addon only calls. What is more than one ioctl
 * is said where it is: the state of a vCPU (state.ts), a guest that runs (guest.ts), other programs
 * (supervisor.ts).
 *
 * - Every method that calls the kernel does so off the main thread and returns a promise, but for those that say
 * otherwise. It never
 * throws: misuse (a wrong type, a number out of range) rejects with TypeError or RangeError, and a
 * refusal by the kernel rejects with {@link NativeError}. Only a wrong `this` throws at once.
 * - Objects are made by the methods that return them; their constructors refuse to be called.
 * - `close()` is idempotent. It lets calls in flight end, and then closes off the main thread. A
 * method of a closed object rejects with `code: 'EBADF'`.
 * - 64-bit addresses, sizes and masks are BigInt.
 */
import type { RequestName } from '../src/abi/kvm/requests.ts';
import type { CpuidEntry } from '../src/abi/kvm/structs.ts';
import type { Exchange } from './exchange.ts';
import type { FdObject } from './fd-object.ts';
import type { Guest, GuestSettings } from './guest.ts';
import type { FdChannelClass, PassedFd, PidfdClass, ProcessFunctions } from './process.ts';
import type { VcpuStateMethods, VmStateMethods } from './state.ts';
import type { HeldCommand, SupervisorClass } from './supervisor.ts';

/** A refused system call. */
export interface NativeError extends Error {
  readonly syscall:
    | 'ioctl'
    | 'open'
    | 'mmap'
    | 'fstat'
    | 'fcntl'
    | 'flock'
    | 'getsockopt'
    | 'socketpair'
    | 'sendmsg'
    | 'recvmsg'
    | 'epoll_ctl'
    | 'pidfd_open'
    | 'pidfd_send_signal'
    | 'socket'
    | 'connect'
    | 'send'
    | 'recv'
    | 'madvise'
    | 'fallocate'
    | 'memfd_create'
    | 'ftruncate'
    | 'pthread_create'
    | 'sigaction';
  readonly errno: number;
  /** `EINVAL` and the like, or `errno N` for a number without a known name. */
  readonly code: string;
  /** The request, where `syscall` is `ioctl`; a TDX command has its own name here. */
  readonly request?: RequestName;
  /** The SEAMCALL status that the kernel wrote into `kvm_tdx_cmd.hw_error`, where it wrote one. */
  readonly hwStatus?: bigint;
  /** The file that could not be opened, where `syscall` is `open`. */
  readonly path?: string;
}

/** /dev/kvm. */
export interface System extends FdObject {
  /** KVM_GET_API_VERSION, which every kernel of the last fifteen years answers with 12. */
  kvmGetApiVersion(): Promise<number>;
  /** KVM_CHECK_EXTENSION on /dev/kvm. The kernel answers 0 for an unknown capability. */
  kvmCheckExtension(capability: number): Promise<number>;
  /** KVM_CREATE_VM. `type` is one of `vmTypes`; EINVAL means that the host does not offer it. */
  kvmCreateVm(type: number): Promise<Vm>;
  /** KVM_GET_VCPU_MMAP_SIZE: the size in bytes of the `kvm_run` area that a vCPU shares. */
  kvmGetVcpuMmapSize(): Promise<number>;
  /** KVM_GET_SUPPORTED_CPUID. The addon handles E2BIG itself. */
  kvmGetSupportedCpuid(): Promise<CpuidEntry[]>;
  /** KVM_GET_MSR_INDEX_LIST: the MSRs that make up the state of a vCPU. The addon handles E2BIG itself. */
  kvmGetMsrIndexList(): Promise<number[]>;
}

/** A VM fd. */
export interface Vm extends FdObject, VmStateMethods {
  kvmCheckExtension(capability: number): Promise<number>;
  /** KVM_ENABLE_CAP takes at most four arguments; these and `flags` are 0 where left out. */
  kvmEnableCap(cap: {
    readonly capability: number;
    readonly flags?: number;
    readonly args?: readonly bigint[];
  }): Promise<void>;
  /**
   * KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM): takes the TD out of `source`, whose fd stays open
   * until the call has ended. It may be of another process, which has passed it.
   */
  kvmMoveEncContextFrom(source: Vm | PassedFd): Promise<void>;
  /** KVM_CREATE_IRQCHIP, which a TD refuses (ENOTTY): a TD takes KVM_CAP_SPLIT_IRQCHIP instead. */
  kvmCreateIrqchip(): Promise<void>;
  kvmCreateVcpu(id: number): Promise<Vcpu>;
  /**
   * KVM_CREATE_VCPU for each id in order, in one trip to a worker thread. When the kernel refuses
   * one, the addon closes those made before it, and the error says which id it was (`id`).
   */
  kvmCreateVcpus(ids: readonly number[]): Promise<Vcpu[]>;
  /** KVM_SET_TSC_KHZ on the VM sets the default of vCPUs to come; 0 means the host's own. */
  kvmSetTscKhz(tscKhz: number): Promise<void>;
  /** KVM_GET_TSC_KHZ on the VM: the default of vCPUs to come. */
  kvmGetTscKhz(): Promise<number>;
  /** KVM_CREATE_PIT2, with the full irqchip only. `flags` is 0 where left out. */
  kvmCreatePit2(flags?: number): Promise<void>;
  /** `struct kvm_pit_state2`, 112 bytes. */
  kvmGetPit2(): Promise<Uint8Array>;
  kvmSetPit2(bytes: Uint8Array): Promise<void>;
  /** `struct kvm_clock_data`, 48 bytes; the flags of the answer may be handed back as they are. */
  kvmGetClock(): Promise<Uint8Array>;
  kvmSetClock(bytes: Uint8Array): Promise<void>;
  /** `struct kvm_irqchip`, 520 bytes. `chip` is 0 or 1 for the two PICs and 2 for the I/O APIC. */
  kvmGetIrqchip(chip: number): Promise<Uint8Array>;
  kvmSetIrqchip(bytes: Uint8Array): Promise<void>;
  /** KVM_IRQ_LINE: the level of an interrupt line, 0 or 1. */
  kvmIrqLine(irq: number, level: number): Promise<void>;
  /** KVM_SIGNAL_MSI: an interrupt message, as a device would write it. */
  kvmSignalMsi(message: { readonly address: bigint; readonly data: number }): Promise<void>;
  kvmSetUserMemoryRegion(region: UserMemoryRegion): Promise<void>;
  kvmSetUserMemoryRegion2(region: UserMemoryRegion2): Promise<void>;
  /** KVM_CREATE_GUEST_MEMFD. `flags` defaults to 0n. */
  kvmCreateGuestMemfd(options: {
    readonly sizeBytes: bigint;
    readonly flags?: bigint;
  }): Promise<GuestMemfd>;
  /**
   * KVM_LINK_GUEST_MEMFD: a guest_memfd of this VM on the pages of `source`, which is another VM's. It is
   * posted and in no kernel, so ENOTTY is the normal answer.
   */
  kvmLinkGuestMemfd(source: GuestMemfd): Promise<GuestMemfd>;
  /** KVM_SET_MEMORY_ATTRIBUTES. `attributes` is KVM_MEMORY_ATTRIBUTE_PRIVATE or 0n. */
  kvmSetMemoryAttributes(range: {
    readonly gpa: bigint;
    readonly sizeBytes: bigint;
    readonly attributes: bigint;
  }): Promise<void>;
  /** KVM_TDX_CAPABILITIES. The addon handles E2BIG itself. */
  tdxCapabilities(): Promise<TdxCapabilities>;
  /** KVM_TDX_INIT_VM. It takes up to 512 entries, twice as many as any kernel does. */
  tdxInitVm(params: TdxInitVm): Promise<void>;
  /** KVM_TDX_INIT_VM with the struct of the series v7 to v9 and the proposals on them. */
  tdxInitVmFixed(params: TdxInitVmFixed): Promise<void>;
  tdxFinalizeVm(): Promise<void>;
  /** KVM_TDX_TERMINATE_VM was posted and is not in Linux 7.3, so EINVAL is a normal answer. */
  tdxTerminateVm(): Promise<void>;
}

/** A vCPU fd. */
export interface Vcpu extends FdObject, VcpuStateMethods {
  readonly id: number;
  kvmSetCpuid2(entries: readonly CpuidEntry[]): Promise<void>;
  /** KVM_SET_TSC_KHZ on the vCPU, which a TD vCPU always refuses with EINVAL. */
  kvmSetTscKhz(tscKhz: number): Promise<void>;
  /** KVM_TDX_INIT_VCPU. `initialRcx` is what the firmware finds in RCX. */
  tdxInitVcpu(initialRcx: bigint): Promise<void>;
  /**
   * KVM_TDX_INIT_MEM_REGION, chunk by chunk. After EAGAIN, EINTR and EBUSY the addon continues with
   * the struct that the kernel advanced. The call rejects with EINTR and `pagesDone` when `signal`
   * aborts, and with the kernel's errno when no page gets done for `stallTimeoutMs`.
   */
  tdxInitMemRegion(region: TdxInitMemRegion): Promise<void>;
  /** KVM_TDX_GET_CPUID. The addon handles E2BIG itself. */
  tdxGetCpuid(): Promise<CpuidEntry[]>;
}

/** A guest_memfd, which pins its VM. */
export interface GuestMemfd extends FdObject {
  readonly sizeBytes: bigint;
  /** Gives whole pages back to the kernel (fallocate, FALLOC_FL_PUNCH_HOLE): what a conversion leaves behind. */
  punchHole(offsetBytes: bigint, sizeBytes: bigint): Promise<void>;
  /** KVM_SET_MEMORY_ATTRIBUTES2, as posted. `attributes` is KVM_MEMORY_ATTRIBUTE_PRIVATE or 0n. */
  kvmSetMemoryAttributes2(range: {
    readonly offsetBytes: bigint;
    readonly sizeBytes: bigint;
    readonly attributes: bigint;
  }): Promise<void>;
}

/**
 * Zeroed memory of this process, page aligned and not reserved in swap. It stays mapped until it is
 * closed and no slot and no call in flight points into it. Slots of several VMs may point into it.
 */
export interface UserMemory {
  /** The address in this process. */
  readonly address: bigint;
  /** The memfd of shared memory; -1 where it is anonymous, and once closed. */
  readonly fd: number;
  readonly sizeBytes: bigint;
  /** Copies `bytes` in. It throws at once: RangeError outside the mapping, EBADF once closed. */
  write(offsetBytes: bigint, bytes: Uint8Array): void;
  /** Copies bytes out. It throws at once: RangeError outside the mapping, EBADF once closed. */
  read(offsetBytes: bigint, lengthBytes: number): Uint8Array;
  /**
   * Gives whole pages back to the kernel, of shared memory for everybody who maps it. Zeros are read there
   * afterwards.
   */
  discard(offsetBytes: bigint, sizeBytes: bigint): Promise<void>;
  close(): Promise<void>;
}

/** `struct kvm_userspace_memory_region`. A size of 0n deletes the slot and needs no `memory`. */
export interface UserMemoryRegion {
  readonly slot: number;
  /** KVM_MEM_READONLY and the like; it is 0 where left out. */
  readonly flags?: number;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  readonly memory?: UserMemory;
  /** The offset in `memory` at which the slot begins; it is 0n where left out. */
  readonly memoryOffsetBytes?: bigint;
}

/** `struct kvm_userspace_memory_region2`. */
export interface UserMemoryRegion2 extends UserMemoryRegion {
  /** The private backing, which sets KVM_MEM_GUEST_MEMFD. */
  readonly guestMemfd?: GuestMemfd;
  readonly guestMemfdOffsetBytes?: bigint;
}

/** `struct kvm_tdx_capabilities`. */
export interface TdxCapabilities {
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** GetTdVmCallInfo subleaf 1: the TDVMCALLs that the kernel answers or hands to the VMM. */
  readonly kernelTdvmcallInfo1R11: bigint;
  readonly userTdvmcallInfo1R11: bigint;
  readonly kernelTdvmcallInfo1R12: bigint;
  readonly userTdvmcallInfo1R12: bigint;
  readonly configurableCpuid: CpuidEntry[];
}

/** `struct kvm_tdx_init_vm`. The three identities have 48 bytes each. */
export interface TdxInitVm {
  readonly attributes: bigint;
  readonly xfam: bigint;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly cpuid: readonly CpuidEntry[];
}

/** `struct kvm_tdx_init_vm` as 16384 bytes. KVM reads XFAM off the entries of CPUID leaf 0xd. */
export interface TdxInitVmFixed extends Omit<TdxInitVm, 'xfam'> {
  readonly maxVcpus: number;
}

/** `struct kvm_tdx_init_mem_region`, and how the addon goes about it. */
export interface TdxInitMemRegion {
  readonly source: UserMemory;
  readonly sourceOffsetBytes: bigint;
  readonly gpa: bigint;
  readonly pages: number;
  /** KVM_TDX_MEASURE_MEMORY_REGION or 0; it is 0 where left out. */
  readonly flags?: number;
  /** The addon looks at it before each chunk. */
  readonly signal?: AbortSignal;
  /** The addon calls it after each chunk with the pages done. What it throws rejects the call. */
  readonly onProgress?: (pagesDone: number) => void;
  /** The pages of one ioctl: 512 (2 MiB) where left out. */
  readonly chunkPages?: number;
  /** How long the addon bears EAGAIN, EINTR and EBUSY without a page done: 30000 where left out. */
  readonly stallTimeoutMs?: number;
}

export interface GuestOptions extends GuestSettings {
  readonly vm: Vm;
  readonly vcpus: readonly Vcpu[];
}

export interface Addon extends ProcessFunctions {
  readonly System: {
    /** Opens /dev/kvm, or the file that `path` names. */
    open(path?: string): Promise<System>;
  };
  readonly UserMemory: {
    /** Calls mmap. `sizeBytes` is a multiple of 4096 above 0. */
    map(
      sizeBytes: bigint,
      options?: {
        /** A memfd, which another process can map too; otherwise the memory is anonymous. */
        readonly shared?: boolean;
      },
    ): Promise<UserMemory>;
    /** Maps a memfd that was passed, all of it. It has an fd of its own. */
    ofFd(fd: PassedFd): Promise<UserMemory>;
  };
  readonly Pidfd: PidfdClass;
  readonly FdChannel: FdChannelClass;
  /** Of what `Guest.getPacked` gives: a guest takes no other. */
  readonly guestStateLayout: number;
  readonly PassedFd: { readonly prototype: PassedFd };
  readonly Supervisor: SupervisorClass;
  readonly HeldCommand: { readonly prototype: HeldCommand };
  readonly Guest: {
    readonly prototype: Guest;
    /**
     * Maps the `kvm_run` of each vCPU and starts its thread, parked. From now on the vCPUs are the guest's,
     * until it is stopped: their `close()` waits for that, and a second guest is refused with EBUSY.
     */
    make(options: GuestOptions): Promise<Guest>;
  };
  readonly GuestMemfd: {
    readonly prototype: GuestMemfd;
    /**
     * One of another process, which says how large it is. It has an fd of its own. It can be bound to a slot, be the
     * source of `kvmLinkGuestMemfd`, and be closed; until then it pins the VM that it was made for. EMFILE.
     */
    ofFd(fd: PassedFd, sizeBytes: bigint): GuestMemfd;
  };
  /** These two serve `instanceof` only. */
  readonly Vm: { readonly prototype: Vm };
  readonly Vcpu: { readonly prototype: Vcpu };
  readonly exchange: Exchange;
  /** How many fds of this environment were closed only because their object was collected. */
  leakedFds(): number;
  readonly testing: Testing;
}

/** Scripted answers in place of the kernel, and the facts the addon was compiled with. */
export interface Testing {
  /** From now on the list, and not the kernel, answers the ioctls of this environment in order. */
  script(answers: readonly ScriptedAnswer[]): Script;
  /** The request numbers and TDX command ids, by the kernel's name. */
  numbers(): Readonly<Record<string, number>>;
  /** How long `tdxInitMemRegion` bears a stall where it is not told. */
  readonly stallTimeoutMs: number;
  /** The size in bytes of each struct, by the kernel's name. */
  structSizes(): Readonly<Record<string, number>>;
}

export interface ScriptedAnswer {
  /** The request number expected. Another one is answered ENOSYS and marked in `calls()`. */
  readonly request: number;
  /**
   * What ioctl returns: 0 where left out. `fd` stands for a real fd (of /dev/null), and `memory` for that of
   * a file of two pages, which serves a vCPU as its kvm_run.
   */
  readonly returns?: number | 'fd' | 'memory';
  /** Where it is not 0, ioctl returns -1 and sets it. */
  readonly errno?: number;
  /** The script writes it over the start of the argument, also when `errno` is set. */
  readonly argument?: Uint8Array;
  /** The script writes it over the start of what `kvm_tdx_cmd.data` points to. */
  readonly data?: Uint8Array;
  /** The script writes it over the start of the file of the fd, which is a vCPU's kvm_run. */
  readonly memory?: Uint8Array;
  /** The answer waits for `release()`; that to KVM_RUN also for a kick, and is EINTR then, out of the guest. */
  readonly hold?: boolean;
}

export interface RecordedCall {
  readonly fd: number;
  readonly request: number;
  readonly expected: boolean;
  /** The argument itself: a value, or the address of the struct. */
  readonly value: bigint;
  /**
   * The struct as the kernel would have read it, and for KVM_RUN what kvm_run was; it is empty for an
   * argument by value.
   */
  readonly argument: Uint8Array;
  /** What `kvm_tdx_cmd.data` points to; it is empty where `data` is a value. */
  readonly data: Uint8Array;
}

export interface Script {
  /** The calls that were made so far. */
  calls(): RecordedCall[];
  /** Lets the call go on that is held, or else the next one that is. */
  release(): void;
  /** Ends the script, so that the kernel answers again. */
  end(): void;
}

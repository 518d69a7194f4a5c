/**
 * The port has KVM and TDX in the kernel's own verbs. `kvm`, `soft` and `simulated` implement it,
 * and nothing here imports an implementation.
 *
 * Every method makes one ioctl (or one mmap) and throws {@link KvmError} when the kernel refuses
 * it. 64-bit addresses, sizes and masks are BigInt. `close()` is idempotent everywhere and does not
 * throw for a second call; an object that is used after it throws `KvmError` EBADF.
 */
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import type { StartRegisters } from '../abi/kvm/registers.ts';
import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { VmTypeName } from '../abi/kvm/vm-types.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from './facts.ts';
import type { Guest, GuestIo } from './guest.ts';

export interface Host {
  /** Tells what the host is. It only reads, and takes no key slot. */
  facts(): Promise<HostFacts>;
  /** The key slots (private key IDs for guests); undefined where the host cannot tell them. */
  keySlots(): Promise<KeySlots | undefined>;
  /**
   * How many more TDs the misc cgroup of this process, and those above it, allow; undefined where
   * no limit is set or none can be read. KVM_TDX_INIT_VM answers EBUSY when it is 0.
   */
  cgroupRoom(): Promise<number | undefined>;
  /** The memory of the machine. It only reads. */
  memory(): Promise<HostMemoryFacts>;
  /** The path of that cgroup, where it can differ between the processes that use this host. */
  readonly cgroup?: string;
  /** KVM_CHECK_EXTENSION on /dev/kvm. The kernel answers 0 for an unknown capability. */
  checkExtension(capability: CapabilityName): Promise<number>;
  getSupportedCpuid(): Promise<readonly CpuidEntry[]>;
  /** KVM_CREATE_VM, which answers EINVAL where the host does not offer the type. */
  createVm(options: CreateVm): Promise<Vm>;
  /**
   * Maps memory, page aligned, which backs slots and is a source of pages: zeroed, or that of another VM,
   * by its memfd where that is in another process.
   */
  mapMemory(options: MapMemory): Promise<UserMemory>;
  /**
   * Sends a request to a service on a socket of this machine, each side telling first how long its message is, and
   * gives the answer; only hosts that run TDs have a guest to do it for. It throws what Node's own calls throw, an
   * error with `syscall` and `code`.
   */
  exchange?(request: ServiceRequest): Promise<Uint8Array>;
  /** The nanoseconds that have passed on a simulated host; no other has a time of its own. */
  simulatedTimeNs?(): bigint;
  close(): Promise<void>;
}

/** What every process has of a VM whose fd it has: the source of a move can be named by it, and no more is asked of it. */
export interface VmFile {
  close(): Promise<void>;
}

export interface Vm extends VmFile {
  /** KVM_CHECK_EXTENSION on the VM fd. Only here is KVM_CAP_MAX_VCPUS the limit of this VM. */
  checkExtension(capability: CapabilityName): Promise<number>;
  enableCap(options: EnableCap): Promise<void>;
  /** KVM_SET_TSC_KHZ sets the default of vCPUs to come, and what INIT_VM hands the module. */
  setTscKhz(options: SetTscKhz): Promise<void>;
  createVcpu(options: CreateVcpu): Promise<Vcpu>;
  /** KVM_CREATE_GUEST_MEMFD. The object pins the VM, and so its key slot, until it is closed. */
  createGuestMemfd(options: CreateGuestMemfd): Promise<GuestMemory>;
  /**
   * KVM_LINK_GUEST_MEMFD makes a guest_memfd of this VM on the pages of another VM's. RFC v2 of
   * intra-host migration proposes it; every other kernel answers ENOTTY.
   */
  linkGuestMemfd(options: ShareGuestMemfd): Promise<GuestMemory>;
  /**
   * Takes another VM's guest_memfd for this VM: a second fd of the same file, which SCM_RIGHTS
   * passes where the VMs are in two processes. The file lives until the last fd is closed. The
   * kernel decides whether it can be bound here.
   */
  receiveGuestMemfd(options: ShareGuestMemfd): Promise<GuestMemory>;
  /**
   * KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) takes the TD out of `source` into this VM.
   * Without a source it asks with an fd that is not open, which moves nothing: the kernel answers
   * EBADF where it moves TDs, and EINVAL where it does not. KVM_CHECK_EXTENSION does not tell: it
   * is 1 on Intel although released kernels always refuse the request.
   */
  moveEncContextFrom(options: MoveEncContextFrom): Promise<void>;
  /** KVM_SET_USER_MEMORY_REGION2. A size of 0 deletes the slot. */
  setUserMemoryRegion2(region: MemoryRegion): Promise<void>;
  /** KVM_SET_MEMORY_ATTRIBUTES makes a range of guest memory private or shared. */
  setMemoryAttributes(options: MemoryAttributes): Promise<void>;
  /**
   * KVM_SET_MEMORY_ATTRIBUTES2, an ioctl of the guest_memfd, makes a range of it private or shared, on
   * kernels that keep that with each guest_memfd (HostFacts.kernel.memoryAttributesOf); every other
   * answers ENOTTY.
   */
  setMemoryAttributes2(options: MemoryAttributes2): Promise<void>;
  /** KVM_SIGNAL_MSI sends an interrupt message, as a device would write it. */
  signalMsi(message: MsiMessage): Promise<void>;
  /** KVM_TDX_CAPABILITIES. The host handles E2BIG itself. */
  tdxCapabilities(): Promise<TdxCapabilities>;
  /** KVM_TDX_INIT_VM takes the key slot. */
  tdxInitVm(params: TdxInitVm): Promise<void>;
  /** KVM_TDX_FINALIZE_VM closes the measurement. No vCPU and no page can be added afterwards. */
  tdxFinalizeVm(): Promise<void>;
  /** KVM_TDX_TERMINATE_VM was posted and is not in Linux 7.3, so EINVAL is a normal answer. */
  tdxTerminateVm(): Promise<void>;
  /**
   * The MRTD (48 bytes) that FINALIZE_VM closed, where the host can tell. No ioctl of Linux 7.3
   * gives it, so a real host answers undefined; a simulated module answers what it accumulated.
   */
  mrtd(): Promise<Uint8Array | undefined>;
  /**
   * Has the first vCPU start as a boot protocol says, by KVM_SET_SREGS and KVM_SET_REGS, and the others wait
   * for it to start them. A TD starts its firmware and nothing else: EINVAL.
   */
  startKernel(options: StartKernel): Promise<void>;
  /** Gives the vCPUs what they run by. From now on, and until it is closed, they are the guest's alone. */
  makeGuest(options: MakeGuest): Promise<Guest>;
  close(): Promise<void>;
}

export interface Vcpu {
  readonly id: number;
  /** KVM_SET_CPUID2, which must come before KVM_TDX_INIT_VCPU (leaf 1 must give x2APIC). */
  setCpuid2(options: SetCpuid2): Promise<void>;
  tdxInitVcpu(options: TdxInitVcpu): Promise<void>;
  /**
   * KVM_TDX_INIT_MEM_REGION. The host continues it on EAGAIN, EINTR and EBUSY with the struct that
   * the kernel advanced. When `signal` aborts, it throws `KvmError` EINTR between two chunks.
   */
  tdxInitMemRegion(region: InitMemRegion): Promise<void>;
  /** KVM_TDX_GET_CPUID is legal between INIT_VM and FINALIZE_VM. The host handles E2BIG itself. */
  tdxGetCpuid(): Promise<readonly CpuidEntry[]>;
  close(): Promise<void>;
}

/** A guest_memfd. */
export interface GuestMemory {
  readonly sizeBytes: bigint;
  /** fallocate() that punches a hole: whole pages are given back, out of the guest too. */
  punchHole(range: PagesOfMemory): Promise<void>;
  close(): Promise<void>;
}

/** Memory of this process, which several VMs may have for their slots. */
export interface UserMemory {
  /** The address in this process, which `sim` makes up. */
  readonly address: bigint;
  readonly sizeBytes: bigint;
  /** Copies bytes in, and throws RangeError outside the mapping. */
  write(options: { readonly offsetBytes: bigint; readonly bytes: Uint8Array }): void;
  /** Copies bytes out, and throws RangeError outside the mapping. */
  read(offsetBytes: bigint, lengthBytes: number): Uint8Array;
  /** fallocate() of the memfd: whole pages are given back, and read as zeros from then on. */
  discard(range: PagesOfMemory): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceRequest {
  readonly address:
    | { readonly unix: string }
    | { readonly vsock: { readonly cid: number; readonly port: number } };
  readonly request: Uint8Array;
  /** A longer answer is refused (EMSGSIZE), and so is one that is not there by then (ETIMEDOUT). */
  readonly maxBytes: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export type CreateVm = { readonly type: VmTypeName };
/** `sharedWith` is of the same size, and stays mapped until each of both is closed. */
export type MapMemory = { readonly sizeBytes: bigint; readonly sharedWith?: UserMemory };
export type EnableCap = {
  readonly capability: CapabilityName;
  readonly args?: readonly bigint[];
};
export type SetTscKhz = { readonly tscKhz: number };
export type CreateVcpu = { readonly id: number };
export type CreateGuestMemfd = { readonly sizeBytes: bigint };
/** The guest_memfd of another VM. */
export type ShareGuestMemfd = { readonly memory: GuestMemory };
export type MoveEncContextFrom = { readonly source: VmFile | undefined };
export type MemoryAttributes = {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  readonly isPrivate: boolean;
};
export type MemoryAttributes2 = {
  readonly memory: GuestMemory;
  readonly offsetBytes: bigint;
  readonly sizeBytes: bigint;
  readonly isPrivate: boolean;
};
/** The address names an APIC, and the data a vector (Intel SDM, "Message Signalled Interrupts"). */
export type MsiMessage = { readonly address: bigint; readonly data: number };
export type PagesOfMemory = { readonly offsetBytes: bigint; readonly sizeBytes: bigint };
export type SetCpuid2 = { readonly entries: readonly CpuidEntry[] };
/** `initialRcx` is what the firmware finds in RCX: the address of the TD HOB. */
export type TdxInitVcpu = { readonly initialRcx: bigint };
/** `vcpus` are all of the VM's; the registers are for the first. */
export type StartKernel = {
  readonly vcpus: readonly Vcpu[];
  readonly registers: StartRegisters;
};
/** `vcpus` are all of the VM's. */
export type MakeGuest = { readonly vcpus: readonly Vcpu[]; readonly io: GuestIo };

export interface MemoryRegion {
  readonly slot: number;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  /** The shared (ordinary) backing. */
  readonly memory: UserMemory;
  readonly memoryOffsetBytes: bigint;
  /** The private backing, which sets KVM_MEM_GUEST_MEMFD. */
  readonly guestMemory?: { readonly memory: GuestMemory; readonly offsetBytes: bigint };
}

export interface InitMemRegion {
  readonly source: UserMemory;
  readonly sourceOffsetBytes: bigint;
  readonly gpa: bigint;
  readonly pages: number;
  /** KVM_TDX_MEASURE_MEMORY_REGION: the content goes into MRTD too, and not only the address. */
  readonly measure: boolean;
  readonly signal?: AbortSignal;
  /** The host calls it after each chunk with the pages done so far. */
  readonly onProgress?: (pagesDone: number) => void;
}

/** The part of `struct kvm_tdx_capabilities` that a VMM needs. */
export interface TdxCapabilities {
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** The leaves that INIT_VM may configure: register bits that are 1 may be chosen. */
  readonly configurableCpuid: readonly CpuidEntry[];
}

/** `struct kvm_tdx_init_vm`. The three identities have 48 bytes each. */
export interface TdxInitVm {
  readonly attributes: bigint;
  readonly xfam: bigint;
  /** Kernels whose KVM_TDX_INIT_VM has no such field (all releases) ignore it. */
  readonly maxVcpus?: number;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly cpuid: readonly CpuidEntry[];
}

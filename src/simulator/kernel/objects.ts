/** The ioctls of the model work on these objects, which are `struct kvm` and its kin. */

import type { TdState } from '../../abi/kvm/kernels/record.ts';
import type { MpState } from '../../abi/kvm/mp-states.ts';
import type { VcpuStatistic } from '../../abi/kvm/statistics.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { GsiRoute, MsrFilterStruct, TdVmCallAnswer } from '../interface.ts';
import type { Hpa } from '../module/addresses.ts';
import type { RangeSet } from '../range-set.ts';
import type { SlotTable } from './memory/slot-table.ts';
import type { Mutex } from './mutex.ts';

/** `struct kvm`, as far as the model has it. */
export interface Vm {
  readonly id: number;
  readonly isTd: boolean;
  /** Identity of the creator's address space. */
  readonly mm: number;
  /** Its statistics bear this name. */
  readonly statsId: string;
  /**
   * Number of references: by the VM fd and by each vCPU fd, guest_memfd, device and statistics file. The last
   * put destroys the VM.
   */
  references: number;
  /** kvm_vm_dead: every further VM and vCPU ioctl fails with EIO, and nothing clears the flag. */
  dead: boolean;
  /** kvm_vm_bugged: the VM is dead because the kernel met a status that it did not expect. */
  bugged: boolean;
  /** kvm->lock. */
  readonly lock: Mutex;
  /** KVM_RUN calls that are under way. */
  readonly runs: Set<VcpuRun>;
  /** kvm->max_vcpus. */
  maxVcpus: number;
  /**
   * kvm->arch.max_vcpu_ids, which is 0 until KVM_CAP_MAX_VCPU_ID or the first KVM_CREATE_VCPU sets it.
   */
  maxVcpuIds: number;
  /** Id of the vCPU that runs first, as KVM_SET_BOOT_CPU_ID sets it. */
  bootVcpuId: number;
  irqchip: 'none' | 'kernel' | 'split';
  /**
   * Number of devices that KVM_CREATE_PIT has put on the bus: the timer, and the speaker port if asked
   * for.
   */
  pitDevices: 0 | 1 | 2;
  /** The state of the PIT as user space wrote it: its channels and flags. */
  readonly pitState: Uint8Array;
  /** Connections of KVM_HYPERV_EVENTFD, by their number. */
  readonly hypervEventfds: Set<number>;
  /** Attributes of a Xen guest, by their number. */
  readonly xen: Map<number, bigint>;
  /** The irqfds go with the VM's own fd, which may be before the VM itself. */
  irqfds: Irqfd[];
  readonly ioEventfds: IoEventfd[];
  coalescedZones: CoalescedZone[];
  /** Interrupt routes by GSI. The table is always replaced as a whole. */
  gsiRoutes: ReadonlyMap<number, readonly GsiRoute[]>;
  /** GSIs that KVM_IRQ_LINE has raised. */
  readonly raisedLines: Set<number>;
  /**
   * State of the PICs and the I/O APIC as user space wrote it. The list is empty unless the kernel has
   * them.
   */
  chips: readonly Uint8Array[];
  msrFilter: MsrFilterStruct | undefined;
  /** MSRs that are one for the whole VM, as they were written, by index. */
  readonly msrs: Map<number, bigint>;
  /** kvmclock shows the sum of the host's time and this offset. */
  kvmclockOffsetNs: bigint;
  /** True when the clock goes by the TSC, so that KVM can report both together. */
  useMasterClock: boolean;
  tscKhz: number;
  /** Which of the vCPUs' time stamp counters go together. */
  readonly tscSync: TscSync;
  readonly caps: EnabledCaps;
  /** vCPUs in order of creation. A released vCPU stays here until the VM goes. */
  readonly vcpus: Vcpu[];
  readonly vcpusById: Map<number, Vcpu>;
  readonly slots: SlotTable<MemorySlot>;
  /** Guest pages with KVM_MEMORY_ATTRIBUTE_PRIVATE, where the kernel keeps that for each VM. */
  privateRanges: RangeSet;
  readonly guestMemfds: Set<GuestMemfd>;
  vfioDevice: VfioDevice | undefined;
  readonly td: TdOfVm | undefined;
}

/**
 * The counters of a VM's vCPUs that were set alike go together. The kernel finds that out from the writes
 * (kvm_synchronize_tsc()).
 */
export interface TscSync {
  /** The last write: when it was, what, at which frequency and with which offset. */
  last: TscWrite;
  /** Offset and number of the generation of counters that match. */
  offset: bigint;
  generation: number;
  /** How many vCPUs but the first are in it. */
  matched: number;
  userHasSet: boolean;
}

export interface TscWrite {
  readonly ns: bigint;
  readonly tsc: bigint;
  readonly khz: number;
  readonly offset: bigint;
}

/** Capabilities that KVM_ENABLE_CAP has set. */
export interface EnabledCaps {
  x2apicApi: bigint;
  exitHypercall: bigint;
  apicBusCyclesNs: bigint;
  pmuDisabled: boolean;
  busLockExit: bigint;
  notifyVmexit: bigint;
  disabledQuirks: bigint;
  /** HLT does not exit (KVM_CAP_X86_DISABLE_EXITS). */
  haltInGuest: boolean;
  /** The bits ENABLE and INITIALLY_SET of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. */
  manualDirtyLog: bigint;
  dirtyRingBytes: number;
  exceptionPayload: boolean;
  tripleFaultEvent: boolean;
  userSpaceMsr: bigint;
}

/** `struct kvm_tdx`. */
export interface TdOfVm {
  /** Identity of the guest, which no other TD of the machine has or had. */
  guest: number;
  state: TdState;
  key: AssignedKey | undefined;
  tdr: Hpa | undefined;
  /** TDCX pages that TDH.MNG.ADDCX has taken. */
  tdcs: Hpa[];
  attributes: bigint;
  xfam: bigint;
  /** The GPA bit that means shared: 47, or 51 with 52-bit guest addresses. */
  sharedBit: 47 | 51;
  /** S-EPT tables that TDH.MEM.SEPT.ADD has taken, by their `septTableKey`. */
  septTables: Map<number, Hpa>;
  /**
   * Pages for the memory that the guest has accepted: tables of the secure EPT, and metadata where PAMT is
   * dynamic. Undefined: it has not run yet.
   */
  acceptedControlPages: number | undefined;
  /** Private pages in the S-EPT, by guest page number. */
  privatePages: Map<number, PrivatePage>;
  /** Guest pages in KVM's tables that TDH.MEM.PAGE.ADD has not taken yet. */
  premapped: Set<number>;
  preFaultAllowed: boolean;
}

export interface AssignedKey {
  readonly hkid: number;
  /** The cgroup that was charged. It is undefined where a move left the charge behind. */
  readonly cgroup: string | undefined;
}

export interface PrivatePage {
  readonly hpa: Hpa;
  readonly inode: GuestInode;
  /** Place in the inode. */
  readonly index: number;
}

/** VMX operation of a guest, as it was restored. */
export interface VmxOperation {
  readonly vmxonPa: bigint;
  /** Its current VMCS, or all ones where it has loaded none. */
  readonly vmcs12Pa: bigint;
  readonly vmcs12: Uint8Array;
}

/** `struct kvm_vcpu`, as far as the model has it. */
export interface Vcpu {
  readonly id: number;
  /** vcpu_idx: the place in the order of creation, independent of the id. */
  readonly index: number;
  readonly vm: Vm;
  /** Its statistics bear this name. */
  readonly statsId: string;
  /** Those that are not 0. */
  readonly statistics: Map<VcpuStatistic, number>;
  tscKhz: number;
  /** CPUID that KVM_SET_CPUID2 gave, and empty before. */
  cpuid: readonly CpuidEntry[];
  mpState: MpState;
  /** True once the vCPU has been entered: its CPUID and its feature MSRs are fixed from then on. */
  entered: boolean;
  /** Structs of the vCPU's state that user space has written, by name. */
  readonly state: Map<StateName, Uint8Array>;
  /** KVM_CAP_HYPERV_ENLIGHTENED_VMCS was enabled. */
  evmcsEnabled: boolean;
  /** VMX operation that KVM_SET_NESTED_STATE restored. */
  vmxOperation: VmxOperation | undefined;
  /** MSRs that user space has written, by index. */
  readonly msrs: Map<number, bigint>;
  /** IA32_MCG_CAP: the number of banks of machine checks, and what they can do. */
  mcgCap: bigint;
  /** l1_tsc_offset: the offset to the host's TSC. */
  tscOffset: bigint;
  /** this_tsc_generation: the counters that this one goes with. */
  tscGeneration: number;
  /** KVM_CAP_ENFORCE_PV_FEATURE_CPUID: the guest has only those paravirtual features its CPUID shows. */
  enforcesPvCpuid: boolean;
  /** KVM_CAP_HYPERV_SYNIC: Hyper-V's interrupt controller is on. */
  synicActive: boolean;
  /**
   * Signals that KVM_SET_SIGNAL_MASK blocks during KVM_RUN. Where it is undefined, the thread's own
   * mask applies.
   */
  signalMask: bigint | undefined;
  pending: PendingEvents;
  /** The shadow stack pointer, which no MSR holds. */
  guestSsp: bigint;
  /** Attributes of a vCPU of a Xen guest, by their number. */
  readonly xen: Map<number, Uint8Array>;
  /** vcpu->mutex. */
  readonly mutex: Mutex;
  /** complete_userspace_io: what the next KVM_RUN does with user space's answer to the last exit. */
  pendingCompletion: PendingCompletion | undefined;
  /** The answer to its last TDVMCALL that the guest finds when it is entered next. */
  tdvmcall: TdVmCallAnswer | undefined;
  /** Undefined on a VM that is no TD. */
  readonly td: TdOfVcpu | undefined;
}

/** `struct vcpu_tdx`. */
export interface TdOfVcpu {
  state: 'UNINITIALIZED' | 'INITIALIZED';
  /** The first KVM_TDX_INIT_VCPU that gets far enough sets the x2APIC base, which then stays. */
  x2apicBaseSet: boolean;
  tdvpr: Hpa | undefined;
  /** TDCX pages that TDH.VP.ADDCX has taken. */
  tdcx: Hpa[];
  /** Pages set aside for dynamic PAMT, before a lock is taken under which none can be allocated. */
  readonly pamtCache: Hpa[];
  /**
   * The logical CPU that TDH.VP.INIT ran on. It is undefined where the vCPU is associated with none.
   */
  logicalCpu: number | undefined;
}

export type StateName =
  | 'REGS'
  | 'SREGS'
  | 'PDPTRS'
  | 'FPU'
  | 'XSAVE'
  | 'XCRS'
  | 'LAPIC'
  | 'DEBUGREGS'
  | 'VCPU_EVENTS'
  | 'GUEST_DEBUG';

/** A KVM_RUN that is under way. */
export interface VcpuRun {
  /** KVM_REQ_VM_DEAD: the run ends with EIO. */
  vmDied(): void;
}

/** The next KVM_RUN does this with user space's answer (complete_userspace_io). */
export type PendingCompletion =
  /** A script gave the exit as it is. */
  | { readonly completes: 'hypercall' }
  | { readonly completes: 'MapGPA'; readonly next: bigint; readonly end: bigint }
  | { readonly completes: 'status' | 'GetTdVmCallInfo' | 'read' | 'write' };

/** These events wait for the guest to be entered. */
export interface PendingEvents {
  nmis: number;
  smi: boolean;
  externalVector: number | undefined;
  exception: PendingException | undefined;
}

/** An exception that KVM has yet to inject, or that it injects again. */
export interface PendingException {
  readonly vector: number;
  readonly state: 'pending' | 'injected';
}

export interface MemorySlot {
  readonly vm: Vm;
  /** Slot number and address space, as user space gave them. */
  readonly id: number;
  readonly addressSpace: number;
  readonly baseGfn: number;
  readonly pages: number;
  readonly userspaceAddr: bigint;
  readonly flags: number;
  /** KVM_MEM_LOG_DIRTY_PAGES: a bitmap with one bit for each page. */
  readonly dirty: Uint8Array | undefined;
  readonly guestMemfd: { readonly memfd: GuestMemfd; readonly firstPage: number } | undefined;
}

/** What KVM_CREATE_DEVICE makes: the device through which a VM hears of VFIO's files. */
export interface VfioDevice {
  /** The VM, which it keeps alive. */
  readonly vm: Vm;
}

export interface GuestMemfd {
  /** The VM that the file was made for, and which it keeps alive. */
  readonly vm: Vm;
  readonly inode: GuestInode;
  /** The slots that it backs, which may be those of several VMs. */
  readonly bindings: Set<MemorySlot>;
  closed: boolean;
}

export interface GuestInode {
  readonly sizePages: number;
  /** GUEST_MEMFD_FLAG_MMAP: user space can map the file, and write its shared pages. */
  readonly mappable: boolean;
  /** Pages with KVM_MEMORY_ATTRIBUTE_PRIVATE, where the kernel keeps that for each guest_memfd. */
  readonly privatePages: RangeSet;
  /** Pages that have been used, by their place in the file. */
  readonly pages: Map<number, Hpa>;
  /** Pages that the file has too, and of which nobody has asked for the address. */
  readonly unplaced: RangeSet;
  /** The cgroup that is charged for the pages. */
  readonly cgroup: string;
  /** Number of open files. The last one to close frees the pages. */
  files: number;
}

export interface Irqfd {
  readonly eventfd: number;
  readonly gsi: number;
}

export type Bus = 'MMIO' | 'PIO' | 'CCW';

export interface IoEventfd {
  readonly bus: Bus;
  readonly addr: bigint;
  /** 0 stands for any length. */
  readonly len: number;
  readonly eventfd: number;
  /** Undefined stands for any data. */
  readonly datamatch: bigint | undefined;
}

export interface CoalescedZone {
  readonly bus: Bus;
  readonly addr: bigint;
  readonly size: number;
}

/** `struct kvm` and its kin: what the ioctls of the model work on. */
import type { TdState } from '../../abi/kvm/kernels/record.ts';
import type { MpState } from '../../abi/kvm/mp-states.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { GsiRoute, MsrFilterStruct, TdVmCallAnswer } from '../interface.ts';
import type { Hpa } from '../module/addresses.ts';
import type { PrivateRanges } from './memory/private-ranges.ts';

/** `struct kvm`, as far as the model has it. */
export interface Vm {
  readonly id: number;
  readonly isTd: boolean;
  /** Identity of the creator's address space. */
  readonly mm: number;
  /** References: the VM fd, each vCPU fd, guest_memfd and file of statistics. The last put destroys it. */
  references: number;
  /** kvm_vm_dead: every further VM and vCPU ioctl is EIO. Nothing clears it. */
  dead: boolean;
  /** kvm_vm_bugged: dead, because the kernel met a status it did not expect. */
  bugged: boolean;
  /** KVM_RUN calls under way. */
  readonly runs: Set<VcpuRun>;
  /** kvm->max_vcpus. */
  maxVcpus: number;
  /** kvm->arch.max_vcpu_ids; 0 until KVM_CAP_MAX_VCPU_ID or the first KVM_CREATE_VCPU sets it. */
  maxVcpuIds: number;
  /** KVM_SET_BOOT_CPU_ID: the vCPU that runs first. */
  bootVcpuId: number;
  irqchip: 'none' | 'kernel' | 'split';
  /** What KVM_CREATE_PIT has put on the bus: the timer, and the speaker port where it was asked for. */
  pitDevices: 0 | 1 | 2;
  /** Gone with the VM's own fd, before the VM itself. */
  irqfds: Irqfd[];
  readonly ioEventfds: IoEventfd[];
  coalescedZones: CoalescedZone[];
  /** Interrupt routes by GSI: replaced as a whole. */
  gsiRoutes: ReadonlyMap<number, readonly GsiRoute[]>;
  /** GSIs that KVM_IRQ_LINE has raised. */
  readonly raisedLines: Set<number>;
  /** State of the PICs and the I/O APIC as user space wrote it; none unless the kernel has them. */
  chips: readonly Uint8Array[];
  msrFilter: MsrFilterStruct | undefined;
  /** What kvmclock shows is the machine's time and this. */
  kvmclockOffsetNs: bigint;
  /** The clock goes by the TSC, so that it can be told with it. */
  useMasterClock: boolean;
  tscKhz: number;
  readonly caps: EnabledCaps;
  /** In order of creation; a released vCPU stays until the VM goes. */
  readonly vcpus: Vcpu[];
  readonly vcpusById: Map<number, Vcpu>;
  readonly slots: Map<number, MemorySlot>;
  privateRanges: PrivateRanges;
  readonly guestMemfds: Set<GuestMemfd>;
  readonly td: TdOfVm | undefined;
}

/** What KVM_ENABLE_CAP has set. */
export interface EnabledCaps {
  x2apicApi: bigint;
  exitHypercall: bigint;
  apicBusCyclesNs: bigint;
  pmuDisabled: boolean;
  busLockExit: bigint;
  notifyVmexit: bigint;
  disabledQuirks: bigint;
  /** ENABLE and INITIALLY_SET. */
  manualDirtyLog: bigint;
  dirtyRingBytes: number;
  exceptionPayload: boolean;
  tripleFaultEvent: boolean;
  userSpaceMsr: bigint;
}

/** `struct kvm_tdx`. */
export interface TdOfVm {
  /** Identity of the guest: no other TD of the machine has or had it. */
  guest: number;
  state: TdState;
  key: AssignedKey | undefined;
  tdr: Hpa | undefined;
  /** TDCX pages that TDH.MNG.ADDCX has taken. */
  tdcs: Hpa[];
  attributes: bigint;
  xfam: bigint;
  /** 47, or 51 with 52-bit guest addresses: the GPA bit that means shared. */
  sharedBit: 47 | 51;
  /** S-EPT tables that TDH.MEM.SEPT.ADD has taken; the key is that of `septTableKey`. */
  septTables: Map<number, Hpa>;
  /** Private pages in the S-EPT, by guest page number. */
  privatePages: Map<number, PrivatePage>;
  /** Guest pages in KVM's tables that TDH.MEM.PAGE.ADD has not taken yet. */
  premapped: Set<number>;
  preFaultAllowed: boolean;
}

export interface AssignedKey {
  readonly hkid: number;
  /** The cgroup that was charged; undefined: a move left the charge behind. */
  readonly cgroup: string | undefined;
}

export interface PrivatePage {
  readonly hpa: Hpa;
  readonly inode: GuestInode;
}

/** `struct kvm_vcpu`, as far as the model has it. */
export interface Vcpu {
  readonly id: number;
  /** vcpu_idx: order of creation, independent of the id. */
  readonly index: number;
  readonly vm: Vm;
  tscKhz: number;
  /** What KVM_SET_CPUID2 gave; empty before. */
  cpuid: readonly CpuidEntry[];
  mpState: MpState;
  /** It has been entered: its CPUID and its feature MSRs are fixed. */
  entered: boolean;
  /** Structs of its state that user space has written, by name. */
  readonly state: Map<StateName, Uint8Array>;
  /** MSRs that user space has written, by index. */
  readonly msrs: Map<number, bigint>;
  /** IA32_MCG_CAP: how many banks of machine checks, and what they can do. */
  mcgCap: bigint;
  /** l1_tsc_offset: to the host's. */
  tscOffset: bigint;
  /** KVM_SET_SIGNAL_MASK: signals that are blocked during KVM_RUN; undefined: the thread's own. */
  signalMask: bigint | undefined;
  pending: PendingEvents;
  /** The KVM_RUN that holds vcpu->mutex, and those that wait for it. */
  run: VcpuRun | undefined;
  readonly waitingRuns: VcpuRun[];
  /** complete_userspace_io: what the next KVM_RUN does with the answer to the last exit. */
  pendingCompletion: PendingCompletion | undefined;
  /** What the guest finds of its last TDVMCALL when it is entered next. */
  tdvmcall: TdVmCallAnswer | undefined;
  /** undefined on a VM that is no TD. */
  readonly td: TdOfVcpu | undefined;
}

/** `struct vcpu_tdx`. */
export interface TdOfVcpu {
  state: 'UNINITIALIZED' | 'INITIALIZED';
  /** The x2APIC base is set by the first KVM_TDX_INIT_VCPU that gets that far, and stays. */
  x2apicBaseSet: boolean;
  tdvpr: Hpa | undefined;
  /** TDCX pages that TDH.VP.ADDCX has taken. */
  tdcx: Hpa[];
  /** The logical CPU that TDH.VP.INIT ran on; undefined: not associated with any. */
  logicalCpu: number | undefined;
}

export type StateName =
  | 'REGS'
  | 'SREGS'
  | 'FPU'
  | 'XSAVE'
  | 'XCRS'
  | 'LAPIC'
  | 'DEBUGREGS'
  | 'VCPU_EVENTS'
  | 'GUEST_DEBUG';

/** A KVM_RUN that is under way. */
export interface VcpuRun {
  /** It has vcpu->mutex. */
  begin(): void;
  /** KVM_REQ_VM_DEAD: ends with EIO. */
  vmDied(): void;
  cancel(): void;
}

/** What the next KVM_RUN does with user space's answer (complete_userspace_io). */
export type PendingCompletion =
  /** An exit that a script gave as it is. */
  | { readonly completes: 'hypercall' }
  | { readonly completes: 'MapGPA'; readonly next: bigint; readonly end: bigint }
  | { readonly completes: 'status' | 'GetTdVmCallInfo' | 'read' | 'write' };

/** What waits for the guest to be entered. */
export interface PendingEvents {
  nmis: number;
  smi: boolean;
  externalVector: number | undefined;
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
  /** KVM_MEM_LOG_DIRTY_PAGES: a bit for each page. */
  readonly dirty: Uint8Array | undefined;
  readonly guestMemfd: { readonly memfd: GuestMemfd; readonly firstPage: number } | undefined;
}

export interface GuestMemfd {
  /** The VM it was made for, which it keeps alive. */
  readonly vm: Vm;
  readonly inode: GuestInode;
  readonly bindings: Set<MemorySlot>;
  closed: boolean;
}

export interface GuestInode {
  readonly sizePages: number;
  /** Pages that were used, by their place in the file. */
  readonly pages: Map<number, Hpa>;
  /** Open files; the last one to close frees the pages. */
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
  /** 0: whatever length. */
  readonly len: number;
  readonly eventfd: number;
  /** undefined: whatever data. */
  readonly datamatch: bigint | undefined;
}

export interface CoalescedZone {
  readonly bus: Bus;
  readonly addr: bigint;
  readonly size: number;
}

import type { TdState } from '../../../abi/kvm/kernels/kernel-abi.ts';
import type { GsiRoute, MsrFilterStruct } from '../../interface.ts';
import type { Hpa } from '../../module/states.ts';
import type { Irqfd } from '../interrupts/eventfds.ts';
import type { CoalescedZone, IoEventfd } from '../interrupts/io-bus.ts';
import type { GuestInode, GuestMemfd } from '../memory/guest-memfd.ts';
import type { MemorySlot } from '../memory/memslots.ts';
import { PrivateRanges } from '../memory/private-ranges.ts';
import type { VcpuRun } from '../vcpu/run.ts';
import type { Vcpu } from '../vcpu/vcpu.ts';

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

export function newVm(options: {
  readonly id: number;
  readonly isTd: boolean;
  readonly mm: number;
  readonly maxVcpus: number;
  readonly tscKhz: number;
  readonly createdNs: bigint;
}): Vm {
  const { createdNs, ...identity } = options;
  return {
    ...identity,
    references: 1,
    dead: false,
    bugged: false,
    runs: new Set(),
    maxVcpuIds: 0,
    bootVcpuId: 0,
    irqchip: 'none',
    pitDevices: 0,
    irqfds: [],
    ioEventfds: [],
    coalescedZones: [],
    gsiRoutes: new Map(),
    raisedLines: new Set(),
    chips: [],
    msrFilter: undefined,
    kvmclockOffsetNs: -createdNs,
    useMasterClock: false,
    caps: {
      x2apicApi: 0n,
      exitHypercall: 0n,
      apicBusCyclesNs: 1n,
      pmuDisabled: false,
      busLockExit: 0n,
      notifyVmexit: 0n,
      disabledQuirks: 0n,
      manualDirtyLog: 0n,
      dirtyRingBytes: 0,
      exceptionPayload: false,
      tripleFaultEvent: false,
      userSpaceMsr: 0n,
    },
    vcpus: [],
    vcpusById: new Map(),
    slots: new Map(),
    privateRanges: new PrivateRanges(),
    guestMemfds: new Set(),
    td: options.isTd ? newTd(options.id) : undefined,
  };
}

function newTd(guest: number): TdOfVm {
  return {
    guest,
    state: 'UNINITIALIZED',
    key: undefined,
    tdr: undefined,
    tdcs: [],
    attributes: 0n,
    xfam: 0n,
    sharedBit: 47,
    septTables: new Map(),
    privatePages: new Map(),
    premapped: new Set(),
    preFaultAllowed: false,
  };
}

/** kvm_vm_dead: for good. A vCPU that runs is kicked out and finds it. */
export function killVm(vm: Vm): void {
  vm.dead = true;
  for (const run of vm.runs) run.vmDied();
}

/** kvm_vm_bugged: what every TDX_BUG_ON ends in. */
export function bugVm(vm: Vm): void {
  vm.bugged = true;
  killVm(vm);
}

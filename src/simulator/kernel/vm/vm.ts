import type { Caller } from '../../interface.ts';
import { RangeSet } from '../../range-set.ts';
import { type Refusal, refuse } from '../answer.ts';
import { resetPit } from '../interrupts/pit.ts';
import { SlotTable } from '../memory/slot-table.ts';
import { Mutex } from '../mutex.ts';
import type { TdOfVm, Vm } from '../objects.ts';

export function newVm(options: {
  readonly id: number;
  readonly isTd: boolean;
  readonly mm: number;
  readonly tid: number;
  readonly maxVcpus: number;
  readonly tscKhz: number;
  readonly createdNs: bigint;
}): Vm {
  const { id, isTd, mm, tid, maxVcpus, tscKhz, createdNs } = options;
  return {
    id,
    isTd,
    mm,
    statsId: `kvm-${tid}`,
    maxVcpus,
    tscKhz,
    references: 1,
    dead: false,
    bugged: false,
    lock: new Mutex(),
    runs: new Set(),
    maxVcpuIds: 0,
    bootVcpuId: 0,
    irqchip: 'none',
    pitDevices: 0,
    pitState: resetPit(),
    hypervEventfds: new Set(),
    xen: new Map(),
    irqfds: [],
    ioEventfds: [],
    coalescedZones: [],
    gsiRoutes: new Map(),
    raisedLines: new Set(),
    chips: [],
    msrFilter: undefined,
    msrs: new Map(),
    kvmclockOffsetNs: -createdNs,
    useMasterClock: false,
    tscSync: {
      last: { ns: 0n, tsc: 0n, khz: 0, offset: 0n },
      offset: 0n,
      generation: 0,
      matched: 0,
      userHasSet: false,
    },
    caps: {
      x2apicApi: 0n,
      exitHypercall: 0n,
      apicBusCyclesNs: 1n,
      pmuDisabled: false,
      busLockExit: 0n,
      notifyVmexit: 0n,
      disabledQuirks: 0n,
      haltInGuest: false,
      manualDirtyLog: 0n,
      dirtyRingBytes: 0,
      exceptionPayload: false,
      tripleFaultEvent: false,
      userSpaceMsr: 0n,
    },
    vcpus: [],
    vcpusById: new Map(),
    slots: new SlotTable(),
    privateRanges: new RangeSet(),
    guestMemfds: new Set(),
    vfioDevice: undefined,
    td: isTd ? newTd(id) : undefined,
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
    acceptedControlPages: undefined,
    privatePages: new Map(),
    premapped: new Set(),
    preFaultAllowed: false,
  };
}

/** Any call on a VM or a vCPU is looked at so, once: not again after it has waited for a lock. */
export function refusedAtEntry(caller: Caller, vm: Vm): Refusal | undefined {
  if (caller.mm !== vm.mm) return refuse('vm.other-process');
  return vm.dead ? refuse('vm.dead') : undefined;
}

/** kvm_vm_dead() is for good. A vCPU that runs is kicked out and finds the VM dead. */
export function killVm(vm: Vm): void {
  vm.dead = true;
  for (const run of vm.runs) run.vmDied();
}

/** Every TDX_BUG_ON ends in kvm_vm_bugged(). */
export function bugVm(vm: Vm): void {
  vm.bugged = true;
  killVm(vm);
}

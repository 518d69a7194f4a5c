import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { TdVmCallAnswer } from '../../interface.ts';
import type { Hpa } from '../../module/states.ts';
import { noEvents, type PendingEvents } from '../interrupts/inject.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import type { PendingCompletion } from '../tdx/tdvmcall.ts';
import type { Vm } from '../vm/vm.ts';
import type { MpState } from './mp-state.ts';
import type { StateName } from './reset-state.ts';
import type { VcpuRun } from './run.ts';

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

export function newVcpu(options: {
  readonly vm: Vm;
  readonly id: number;
  readonly tscOffset: bigint;
}): Vcpu {
  const { vm, id, tscOffset } = options;
  // The boot vCPU runs at once; the others wait for INIT, or for KVM_TDX_INIT_VCPU. Without an
  // interrupt controller in the kernel there is nobody to wait for.
  const runs = id === vm.bootVcpuId || vm.irqchip === 'none';
  return {
    id,
    index: vm.vcpus.length,
    vm,
    tscKhz: vm.tscKhz,
    cpuid: [],
    mpState: runs ? 'RUNNABLE' : 'UNINITIALIZED',
    entered: false,
    state: new Map(),
    msrs: new Map(),
    mcgCap: BigInt(KVM_MAX_MCE_BANKS),
    tscOffset,
    signalMask: undefined,
    pending: noEvents(),
    run: undefined,
    waitingRuns: [],
    pendingCompletion: undefined,
    tdvmcall: undefined,

    td: vm.isTd
      ? {
          state: 'UNINITIALIZED',
          x2apicBaseSet: false,
          tdvpr: undefined,
          tdcx: [],
          logicalCpu: undefined,
        }
      : undefined,
  };
}

import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { TdVmCallAnswer } from '../interface.ts';
import type { Hpa } from '../module/states.ts';
import type { VcpuRun } from './run.ts';
import type { PendingCompletion } from './tdx/tdvmcall.ts';
import type { Vm } from './vm.ts';

/** `struct kvm_vcpu`, as far as the model has it. */
export interface Vcpu {
  readonly id: number;
  /** vcpu_idx: order of creation, independent of the id. */
  readonly index: number;
  readonly vm: Vm;
  tscKhz: number;
  /** What KVM_SET_CPUID2 gave; empty before. */
  cpuid: readonly CpuidEntry[];
  mpState: 'RUNNABLE' | 'UNINITIALIZED';
  /** The KVM_RUN that holds vcpu->mutex, and those that wait for it. */
  run: VcpuRun | undefined;
  readonly waitingRuns: VcpuRun[];
  /** complete_userspace_io: what the next KVM_RUN does with the answer to the last exit. */
  pendingCompletion: PendingCompletion | undefined;
  /** What the guest finds of its last TDVMCALL when it is entered next. */
  tdvmcall: TdVmCallAnswer | undefined;
  /** kvm_vcpu_has_events(): something waits to be injected, an NMI for one. */
  eventPending: boolean;
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

export function newVcpu(vm: Vm, id: number): Vcpu {
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
    run: undefined,
    waitingRuns: [],
    pendingCompletion: undefined,
    tdvmcall: undefined,
    eventPending: false,
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

import { noEvents } from '../interrupts/inject.ts';
import { KVM_MAX_MCE_BANKS } from '../limits.ts';
import { Mutex } from '../mutex.ts';
import type { Vcpu, Vm } from '../objects.ts';

export function newVcpu(options: {
  readonly vm: Vm;
  readonly id: number;
  readonly tid: number;
}): Vcpu {
  const { vm, id, tid } = options;
  // The boot vCPU runs at once; the others wait for INIT, or for KVM_TDX_INIT_VCPU. Without an
  // interrupt controller in the kernel no vCPU has anybody to wait for.
  const runs = id === vm.bootVcpuId || vm.irqchip === 'none';
  return {
    id,
    index: vm.vcpus.length,
    vm,
    statsId: `kvm-${tid}/vcpu-${id}`,
    statistics: new Map(),
    tscKhz: vm.tscKhz,
    cpuid: [],
    mpState: runs ? 'RUNNABLE' : 'UNINITIALIZED',
    entered: false,
    state: new Map(),
    evmcsEnabled: false,
    vmxOperation: undefined,
    msrs: new Map(),
    mcgCap: BigInt(KVM_MAX_MCE_BANKS),
    tscOffset: 0n,
    tscGeneration: 0,
    enforcesPvCpuid: false,
    synicActive: false,
    signalMask: undefined,
    pending: noEvents(),
    guestSsp: 0n,
    xen: new Map(),
    mutex: new Mutex(),
    pendingCompletion: undefined,
    tdvmcall: undefined,

    td: vm.isTd
      ? {
          state: 'UNINITIALIZED',
          x2apicBaseSet: false,
          tdvpr: undefined,
          tdcx: [],
          pamtCache: [],
          logicalCpu: undefined,
        }
      : undefined,
  };
}

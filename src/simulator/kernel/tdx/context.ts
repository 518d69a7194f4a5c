/** What the sub-commands of KVM_MEMORY_ENCRYPT_OP work on. */
import type { Kernel, TdxSupport } from '../kernel.ts';
import type { TdOfVcpu, TdOfVm, Vcpu, Vm } from '../objects.ts';

/** What every command of a TD works on. */
export interface TdContext {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly vm: Vm;
  readonly td: TdOfVm;
}

/** KVM_TDX_INIT_VM has been there. A key ID tells, or what else tells it in this kernel. */
export function hasTd({ kernel, vm, td }: TdContext): boolean {
  if (td.key === undefined) return false;
  return kernel.abi.initVm.doneWhen === 'state' || vm.maxVcpus !== 0;
}

export interface VcpuContext extends TdContext {
  readonly vcpu: Vcpu;
  readonly tdVcpu: TdOfVcpu;
}

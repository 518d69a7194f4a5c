/** What the sub-commands of KVM_MEMORY_ENCRYPT_OP work on. */
import type { Caller, TdxCommandStruct, TdxRequest } from '../../interface.ts';
import { CopiedIn } from '../checks.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import type { TdOfVcpu, TdOfVm, Vcpu, Vm } from '../objects.ts';

/** A TD and all that an operation on it needs. */
export interface TdContext {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly vm: Vm;
  readonly td: TdOfVm;
}

/** A command under way, on the VM of a TD. */
export interface TdCommand extends TdContext {
  readonly caller: Caller;
  readonly cmd: CopiedIn<TdxCommandStruct>;
}

/** A command under way on a vCPU of a TD. */
export interface VcpuCommand extends TdCommand {
  readonly vcpu: Vcpu;
  readonly tdVcpu: TdOfVcpu;
  /** The second time that the command is read, where the kernel has a second stage. */
  readonly cmdAgain: CopiedIn<TdxCommandStruct>;
}

export function commandOf({ cmd }: TdxRequest): CopiedIn<TdxCommandStruct> {
  return new CopiedIn(() => cmd.read());
}

/** KVM_TDX_INIT_VM has been there. A key ID tells, or what else tells it in this kernel. */
export function hasTd({ kernel, vm, td }: TdContext): boolean {
  if (td.key === undefined) return false;
  return kernel.abi.initVm.doneWhen === 'state' || vm.maxVcpus !== 0;
}

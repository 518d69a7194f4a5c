/** The sub-commands of KVM_MEMORY_ENCRYPT_OP work on these objects. */
import type { Caller, TdxCommandStruct, TdxRequest } from '../../interface.ts';
import { CopiedIn } from '../checks.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import type { TdOfVcpu, TdOfVm, Vcpu, Vm } from '../objects.ts';

/** The context is a TD and all that an operation on it needs. */
export interface TdContext {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly vm: Vm;
  readonly td: TdOfVm;
}

/** The command is under way on the VM of a TD. */
export interface TdCommand extends TdContext {
  readonly caller: Caller;
  readonly cmd: CopiedIn<TdxCommandStruct>;
}

/** The command is under way on a vCPU of a TD. */
export interface VcpuCommand extends TdCommand {
  readonly vcpu: Vcpu;
  readonly tdVcpu: TdOfVcpu;
  /** Second copy of the command, where the kernel has a second stage that reads it again. */
  readonly cmdAgain: CopiedIn<TdxCommandStruct>;
}

export function commandOf({ cmd }: TdxRequest): CopiedIn<TdxCommandStruct> {
  return new CopiedIn(() => cmd.read());
}

/**
 * Tells whether KVM_TDX_INIT_VM has succeeded. The TD then has a key ID, and where the kernel's record
 * says so the VM's limit on vCPUs is set as well.
 */
export function hasTd({ kernel, vm, td }: TdContext): boolean {
  if (td.key === undefined) return false;
  return kernel.abi.initVm.doneWhen === 'state' || vm.maxVcpus !== 0;
}

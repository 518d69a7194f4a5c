import type { Caller, EnableCapStruct } from '../../interface.ts';
import type { CopiedIn } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';

/** The call is one KVM_ENABLE_CAP on a VM. */
export interface CapCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly cap: CopiedIn<EnableCapStruct>;
  /** args[0] of the struct, or 0 where the struct cannot be read. */
  readonly arg: bigint;
}

import type { Caller, EnableCapStruct } from '../../interface.ts';
import type { CopiedIn } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';

/** One KVM_ENABLE_CAP on a VM. */
export interface CapCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly cap: CopiedIn<EnableCapStruct>;
  /** args[0] of the struct; 0 where it cannot be read. */
  readonly arg: bigint;
}

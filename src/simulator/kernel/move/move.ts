import type { MoveRules } from '../../../abi/kvm/kernels/kernel-abi.ts';
import type { Caller } from '../../interface.ts';
import { type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel, type TdxSupport } from '../kernel.ts';
import type { Vm } from '../objects.ts';

/** One move, as far as its source has been found. */
export interface Move {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly rules: MoveRules;
  readonly caller: Caller;
  readonly destination: Vm;
  readonly source: Vm;
}

/**
 * kvm->lock of both VMs, then the mutex of every vCPU: all killable. A vCPU that runs holds its mutex,
 * and here nothing waits (see killedWhileLocking).
 */
export function lockBoth({ kernel, caller, destination, source }: Move): Refusal | undefined {
  const held = destination.runs.size > 0 || source.runs.size > 0;
  if (held || caller.pendingSignal() === 'fatal') return refuse('EINTR');
  return faultAt(kernel, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs');
}

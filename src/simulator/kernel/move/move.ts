import { moveCost, movedVcpuCost } from '../../costs.ts';
import { faultAt, type Steps } from '../checks.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import type { CapCall } from '../vm/cap-call.ts';

/** Two VMs, and the machine they are on. */
export interface Move {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly destination: Vm;
  readonly source: Vm;
}

/** KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) under way on the destination. */
export interface MoveCall extends CapCall {
  readonly tdx: TdxSupport;
  /** undefined: the descriptor is none of a VM. */
  readonly source: Vm | undefined;
}

export function moveOf({ kernel, tdx, vm, source }: MoveCall): Move {
  if (source === undefined) {
    throw new Error('the kernel record looks at the source of a move before it has found one');
  }
  return { kernel, tdx, destination: vm, source };
}

/** What both series look at. */
export const moveSteps: Steps<MoveCall> = {
  'move.source-closed': ({ kernel, source }) => {
    if (source === undefined) return true;
    kernel.trace.clock.advance(moveCost.ns + source.vcpus.length * movedVcpuCost.ns);
    return false;
  },
  // A move in progress, EBUSY, cannot be seen: calls do not overlap here.
  'move.same-vm': ({ vm, source }) => vm === source,
  // kvm->lock of both VMs, then the mutex of every vCPU: all killable. A vCPU that runs holds its
  // mutex, and here nothing waits (see killedWhileLocking).
  'move.killed': ({ kernel, caller, vm, source }) => {
    const held = vm.runs.size > 0 || (source?.runs.size ?? 0) > 0;
    if (held || caller.pendingSignal() === 'fatal') return true;
    return faultAt(kernel, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs', 'move.killed');
  },
};

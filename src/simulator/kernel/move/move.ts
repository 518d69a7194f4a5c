import { moveCost, movedVcpuCost } from '../../costs.ts';
import { faultAt, type Steps } from '../checks.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import { allLocks, blocked } from '../locks.ts';
import type { Vm } from '../objects.ts';
import type { CapCall } from '../vm/cap-call.ts';

/** A move concerns two VMs, and the machine that they are on. */
export interface Move {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly destination: Vm;
  readonly source: Vm;
}

/** The destination has KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) under way. */
export interface MoveCall extends CapCall {
  readonly tdx: TdxSupport;
  /** Undefined where the descriptor is none of a VM. */
  readonly source: Vm | undefined;
}

export function moveOf({ kernel, tdx, vm, source }: MoveCall): Move {
  if (source === undefined) {
    throw new Error('the kernel record looks at the source of a move before it has found one');
  }
  return { kernel, tdx, destination: vm, source };
}

/** Both patch series make these checks. */
export const moveSteps: Steps<MoveCall> = {
  'move.source-closed': ({ kernel, source }) => {
    if (source === undefined) return true;
    kernel.trace.clock.advance(moveCost.ns + source.vcpus.length * movedVcpuCost.ns);
    return false;
  },
  // The kernel's EBUSY for a move in progress cannot occur, because calls do not overlap here.
  'move.same-vm': ({ vm, source }) => vm === source,
  // The kernel takes kvm->lock of both VMs, then the mutex of every vCPU, and all of them are killable.
  'move.killed': ({ kernel, vm, source }) =>
    blocked(kernel, allLocks(vm, ...(source === undefined ? [] : [source])), 'move.killed') ??
    faultAt(kernel, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs', 'move.killed'),
};

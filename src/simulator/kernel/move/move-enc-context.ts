/**
 * KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) on the destination, args0 the source's VM fd
 * (kernel-abi 4). No released kernel moves a TD: the op of Intel's vendor table is NULL, and the fd is
 * not even looked at. What the two patch series do is in rfc-v1.ts and rfc-v2.ts.
 */

import type { MoveRules } from '../../../abi/kvm/kernels/kernel-abi.ts';
import { moveCost, movedVcpuCost } from '../../costs.ts';
import type { Answer, Caller, Handle } from '../../interface.ts';
import { type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel, type TdxSupport } from '../kernel.ts';
import type { Vm } from '../vm/vm.ts';
import { moveByRfcV1 } from './rfc-v1.ts';
import { moveByRfcV2 } from './rfc-v2.ts';

/** One move, as far as its source has been found. */
export interface Move {
  readonly kernel: Kernel;
  readonly tdx: TdxSupport;
  readonly rules: MoveRules;
  readonly caller: Caller;
  readonly destination: Vm;
  readonly source: Vm;
}

type Protocol = (move: Move) => Answer;

const protocols: Readonly<Record<MoveRules['protocol'], Protocol>> = {
  'rfc-v1': moveByRfcV1,
  'rfc-v2': moveByRfcV2,
};

export function moveEncContextFrom(
  kernel: Kernel,
  caller: Caller,
  destination: Vm,
  sourceFd: Handle,
): Answer {
  const rules = kernel.abi.move;
  if (rules === undefined || kernel.tdx === undefined) return refuse('EINVAL');
  // RFC v1's op is the vendor's own; v2 finds out later, when the types are compared.
  if (rules.protocol === 'rfc-v1' && !destination.isTd) return refuse('ENOTTY');
  const file = kernel.files.get(sourceFd);
  if (file?.kind !== 'vm') return refuse('EBADF');
  const move = { kernel, tdx: kernel.tdx, rules, caller, destination, source: file.vm };
  kernel.trace.clock.advance(moveCost.ns + file.vm.vcpus.length * movedVcpuCost.ns);
  return protocols[rules.protocol](move);
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

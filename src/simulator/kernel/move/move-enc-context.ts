/**
 * KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) on the destination, args0 the source's VM fd
 * (kernel-abi 4). No released kernel moves a TD: the op of Intel's vendor table is NULL, and the fd is
 * not even looked at. What the two patch series do is in rfc-v1.ts and rfc-v2.ts.
 */

import type { MoveRules } from '../../../abi/kvm/kernels/kernel-abi.ts';
import { moveCost, movedVcpuCost } from '../../costs.ts';
import type { Answer, Caller, Handle } from '../../interface.ts';
import { refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import type { Move } from './move.ts';
import { moveByRfcV1 } from './rfc-v1.ts';
import { moveByRfcV2 } from './rfc-v2.ts';

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

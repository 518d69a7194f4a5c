/**
 * A move is KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM) on the destination, with the source's VM
 * fd in args0. No released kernel moves a TD: the op of Intel's vendor table is NULL, and KVM does not
 * even look at the fd. The files rfc-v1.ts and rfc-v2.ts tell what the two patch series do.
 */
import type { MoveRules } from '../../../abi/kvm/kernels/record.ts';
import type { Refusal } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import type { CapCall } from '../vm/cap-call.ts';
import { type MoveCall, moveSteps } from './move.ts';
import { moveRequest } from './move-request.ts';
import { moveByRfcV1 } from './rfc-v1.ts';
import { moveByRfcV2 } from './rfc-v2.ts';

type Protocol = (call: MoveCall, steps: Steps<MoveCall>) => Refusal | undefined;

const protocols: Readonly<Record<MoveRules['protocol'], Protocol>> = {
  'rfc-v1': moveByRfcV1,
  'rfc-v2': moveByRfcV2,
};

/** @param capSteps The steps that every KVM_ENABLE_CAP takes first. */
export function moveEncContextFrom(call: CapCall, capSteps: Steps<CapCall>): Refusal | undefined {
  const { kernel } = call;
  const { move: rules } = kernel.abi;
  if (rules === undefined || kernel.tdx === undefined) {
    const steps = { ...capSteps, 'move.unsupported': () => true };
    return firstRefusal(kernel, moveRequest, { steps, call });
  }
  const file = kernel.files.get(Number(call.arg));
  const source = file?.kind === 'vm' ? file.vm : undefined;
  const steps = { ...capSteps, ...moveSteps };
  return protocols[rules.protocol]({ ...call, tdx: kernel.tdx, source }, steps);
}

/** This is the move of RFC v1, April 2023: vt_move_enc_context_from() and tdx_migrate_from(). */
import type { Refusal } from '../answer.ts';
import { faultAt, firstRefusal, type Steps } from '../checks.ts';
import type { AssignedKey } from '../objects.ts';
import { killVm } from '../vm/vm.ts';
import { memslotCountsMatch, memslotsMatch } from './memslots-match.ts';
import { type MoveCall, moveOf } from './move.ts';
import { moveRequest } from './move-request.ts';
import { moveMemoryAttributes, moveTd, moveVcpus } from './move-td.ts';

const ownSteps: Steps<MoveCall> = {
  'move.destination-no-td': ({ vm }) => !vm.isTd,
  'move.vcpu-counts-differ': ({ vm, source }) =>
    vm.vcpus.length !== source?.vcpus.length || !source.isTd,
  'move.td-states-kept': ({ vm, source }) =>
    vm.td?.state === 'RUNNABLE' || source?.td?.state !== 'RUNNABLE',
  'move.memslots-differ': (call) => !memslotsMatch(moveOf(call)),
  'move.memslot-counts-differ': (call) => !memslotCountsMatch(moveOf(call)),
  // From here on the source is lost. A late abort takes the key ID out of the destination again, so the
  // TD goes with the source's last put.
  'move.no-memory': (call) => {
    const point = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate';
    const noMemory = faultAt(call.kernel, point, 'move.no-memory');
    if (noMemory !== undefined) killVm(moveOf(call).source);
    return noMemory;
  },
};

export function moveByRfcV1(call: MoveCall, steps: Steps<MoveCall>): Refusal | undefined {
  const { kernel } = call;
  const refused = firstRefusal(kernel, moveRequest, { steps: { ...steps, ...ownSteps }, call });
  if (refused !== undefined) return refused;
  const move = moveOf(call);
  moveTd(move, keyAtDestination(call, move.source.td?.key));
  moveVcpus(move);
  moveMemoryAttributes(move);
  killVm(move.source);
  return undefined;
}

/**
 * RFC v1 moves no charge: as posted, the destination has no cgroup, and the source's charge is never
 * released.
 */
function keyAtDestination(
  { kernel }: MoveCall,
  key: AssignedKey | undefined,
): AssignedKey | undefined {
  if (key === undefined || kernel.abi.move?.sourceCharge === 'goes with the TD') return key;
  return { hkid: key.hkid, cgroup: undefined };
}

/** The move of RFC v1, April 2023. Numbers in comments are the steps of kernel-abi 4.2, in order. */
import type { Answer } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import type { AssignedKey } from '../objects.ts';
import { killVm } from '../vm/vm.ts';
import { memslotsMatch } from './memslots-match.ts';
import { lockBoth, type Move } from './move.ts';
import { moveMemoryAttributes, moveTd, moveVcpus } from './move-td.ts';

export function moveByRfcV1(move: Move): Answer {
  const { kernel, rules, destination, source } = move;
  // 1, 2: before, in moveEncContextFrom
  // 3. A move in progress, EBUSY, cannot be seen: calls do not overlap here
  if (destination === source) return refuse('EINVAL');
  const interrupted = lockBoth(move);
  if (interrupted !== undefined) return interrupted;
  // 4: as posted this jumps to the exit with the result still 0, and the caller goes on
  const countsDiffer = destination.vcpus.length !== source.vcpus.length;
  if ((countsDiffer || !source.isTd) && rules.vcpuCountsDiffer === 'EINVAL') {
    return refuse('EINVAL');
  }
  // 5
  if (destination.td?.state === 'RUNNABLE' || source.td?.state !== 'RUNNABLE') {
    return refuse('EINVAL');
  }
  // 6
  if (!memslotsMatch(destination, source, rules.memslots)) return refuse('EINVAL');
  // 7: from here on the source is lost. A late abort takes the key ID out of the destination again,
  // so the TD goes with the source's last put.
  const noMemory = faultAt(kernel, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate');
  if (noMemory !== undefined) {
    killVm(source);
    return noMemory;
  }
  moveTd(move, keyAtDestination(move, source.td.key));
  moveVcpus(move);
  moveMemoryAttributes(move);
  // 8
  killVm(source);
  return done;
}

/** v1 moves no charge: as posted the destination has no cgroup, and the source's is never released. */
function keyAtDestination({ rules }: Move, key: AssignedKey | undefined): AssignedKey | undefined {
  if (key === undefined || rules.sourceCharge === 'goes with the TD') return key;
  return { hkid: key.hkid, cgroup: undefined };
}

/**
 * This is the move of RFC v2, June 2025, on top of the guest_memfd series:
 * kvm_vm_move_enc_context_from() and tdx_migrate_from(). The source is dead once the memory slots have
 * matched, before TDX has checked anything, so a later failure loses the TD.
 */
import { hasX2apic } from '../../../abi/kvm/cpuid.ts';
import type { Refusal } from '../answer.ts';
import { faultAt, firstRefusal, type Steps } from '../checks.ts';
import type { AssignedKey, Vcpu } from '../objects.ts';
import { bugVm, killVm } from '../vm/vm.ts';
import { memslotsMatch } from './memslots-match.ts';
import { type Move, type MoveCall, moveOf } from './move.ts';
import { moveRequest } from './move-request.ts';
import { flushVcpus, moveMemoryAttributes, moveTd, moveVcpus } from './move-td.ts';

interface MoveV2Call extends MoveCall {
  /** The key ID as the destination will have it. */
  key: AssignedKey | undefined;
}

const ownSteps: Steps<MoveV2Call> = {
  'move.types-differ': ({ vm, source }) => vm.isTd !== source?.isTd,
  'move.memslots-differ': (call) => {
    const move = moveOf(call);
    if (!memslotsMatch(move)) return true;
    moveMemoryAttributes(move);
    killVm(move.source);
    return false;
  },
  // The checks from here on concern TDs only, because other VMs have no context of their own to move.
  'move.td-states': ({ vm, source }) =>
    vm.isTd && (vm.td?.state === 'RUNNABLE' || source?.td?.state !== 'RUNNABLE'),
  'move.cgroup-limit': chargeFails,
  'move.no-memory': (call) => {
    if (!call.vm.isTd) return false;
    flushVcpus(moveOf(call));
    const point = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate';
    return faultAt(call.kernel, point, 'move.no-memory');
  },
  // Each destination vCPU is given an x2APIC base, which its CPUID must allow.
  'move.no-x2apic': (call) =>
    partnersOf(moveOf(call)).some(
      ({ cpuid, td }) => td !== undefined && !td.x2apicBaseSet && !hasX2apic(cpuid),
    ),
  'move.apic-state': (call) => {
    if (!call.vm.isTd) return false;
    const point = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: set the APIC state of a vCPU';
    for (const _ of partnersOf(moveOf(call))) {
      const fault = faultAt(call.kernel, point, 'move.apic-state');
      if (fault !== undefined) return fault;
    }
    return false;
  },
  'move.vcpu-without-partner': ({ vm, source }) =>
    vm.isTd && (source?.vcpus.length ?? 0) > vm.vcpus.length,
};

export function moveByRfcV2(command: MoveCall, steps: Steps<MoveCall>): Refusal | undefined {
  const call: MoveV2Call = { ...command, key: undefined };
  const { kernel, caller, vm } = call;
  const refused = firstRefusal(kernel, moveRequest, { steps: { ...steps, ...ownSteps }, call });
  const isLate = refused?.check === 'move.vcpu-without-partner';
  if (refused !== undefined && !isLate) {
    const hasCharged = call.key !== undefined && call.key !== call.source?.td?.key;
    if (hasCharged) kernel.cgroup.uncharge(caller.cgroup);
    return refused;
  }
  if (!vm.isTd) return refused;
  const move = moveOf(call);
  moveTd(move, call.key);
  moveVcpus(move);
  // The attributes moved once before the source died, so this second move empties the destination's.
  if (kernel.abi.move?.losesMemoryAttributes) moveMemoryAttributes(move);
  if (isLate) {
    // kvm_get_vcpu() gives NULL for the first vCPU without a partner, which is an oops in the caller's
    // task.
    bugVm(move.destination);
    bugVm(move.source);
  }
  return refused;
}

/**
 * The caller's cgroup pays where it is not the source's. As posted, the source's charge is then never
 * released.
 */
function chargeFails(call: MoveV2Call): boolean {
  const { kernel, caller, source } = call;
  const key = source?.td?.key;
  call.key = key;
  if (key === undefined || key.cgroup === caller.cgroup) return false;
  if (!kernel.cgroup.tryCharge(caller.cgroup)) {
    call.key = undefined;
    return true;
  }
  if (kernel.abi.move?.sourceCharge === 'goes with the TD' && key.cgroup !== undefined) {
    kernel.cgroup.uncharge(key.cgroup);
  }
  call.key = { hkid: key.hkid, cgroup: caller.cgroup };
  return false;
}

/** Gives the destination's vCPUs, in their order, that have one of the source to take over. */
function partnersOf({ destination, source }: Move): readonly Vcpu[] {
  return destination.vcpus.slice(0, source.vcpus.length);
}

/**
 * The move of RFC v2, June 2025, on the guest_memfd series. Numbers in comments are the steps of
 * kernel-abi 4.3, in order. The source is dead from step 8 on, before TDX has looked at anything: what
 * fails later loses the TD.
 */
import { hasX2apic } from '../../../abi/kvm/cpuid.ts';
import type { Answer } from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import type { AssignedKey } from '../objects.ts';
import { bugVm, killVm } from '../vm/vm.ts';
import { memslotsMatch } from './memslots-match.ts';
import { lockBoth, type Move } from './move.ts';
import { flushVcpus, moveMemoryAttributes, moveTd, moveVcpus } from './move-td.ts';

export function moveByRfcV2(move: Move): Answer {
  const { destination, source, rules } = move;
  // 1, 2: before, in moveEncContextFrom
  // 3
  if (destination.isTd !== source.isTd) return refuse('EINVAL');
  // 4: a move in progress, EBUSY, cannot be seen, as calls do not overlap here; the same VM is not
  // confirmed: as for SEV
  if (destination === source) return refuse('EINVAL');
  // 5-7
  const interrupted = lockBoth(move);
  if (interrupted !== undefined) return interrupted;
  // 8
  if (!memslotsMatch(destination, source, rules.memslots)) return refuse('EINVAL');
  moveMemoryAttributes(move);
  killVm(source);
  // 9: TDs only; other VMs have no context of their own to move
  return destination.isTd ? moveContext(move) : done;
}

function moveContext(move: Move): Answer {
  const { kernel, rules, caller, destination, source } = move;
  if (destination.td?.state === 'RUNNABLE' || source.td?.state !== 'RUNNABLE') {
    return refuse('EINVAL');
  }
  const key = chargedKey(move, source.td.key);
  if (key !== undefined && 'ok' in key) return key;
  flushVcpus(move);
  const refused = faultAt(kernel, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate') ?? checkVcpus(move);
  if (refused !== undefined) {
    if (key !== undefined && key !== source.td.key) kernel.cgroup.uncharge(caller.cgroup);
    return refused;
  }
  moveTd(move, key);
  moveVcpus(move);
  // A second move of what step 8 has moved: the source's are empty by now.
  if (rules.losesMemoryAttributes) moveMemoryAttributes(move);
  if (rules.vcpuCountsDiffer === 'unchecked' && source.vcpus.length > destination.vcpus.length) {
    // kvm_get_vcpu() gives NULL for the first that has no partner: an oops in the caller's task.
    bugVm(destination);
    bugVm(source);
    return refuse('EIO');
  }
  return done;
}

/** The caller's cgroup pays where it is another. As posted the source's is never released then. */
function chargedKey(
  { kernel, rules, caller }: Move,
  key: AssignedKey | undefined,
): AssignedKey | Refusal | undefined {
  if (key === undefined || key.cgroup === caller.cgroup) return key;
  const charged = kernel.cgroup.tryCharge(caller.cgroup);
  if (charged !== 'ok') return refuse(charged);
  if (rules.sourceCharge === 'goes with the TD' && key.cgroup !== undefined) {
    kernel.cgroup.uncharge(key.cgroup);
  }
  return { hkid: key.hkid, cgroup: caller.cgroup };
}

/** Each destination vCPU is given an x2APIC base, which its CPUID must allow. */
function checkVcpus({ kernel, destination, source }: Move): Refusal | undefined {
  for (let i = 0; i < source.vcpus.length; i++) {
    const vcpu = destination.vcpus[i];
    if (vcpu === undefined) return undefined;
    if (vcpu.td?.x2apicBaseSet !== true && !hasX2apic(vcpu.cpuid)) return refuse('EINVAL');
    const noApic = faultAt(
      kernel,
      'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: set the APIC state of a vCPU',
    );
    if (noApic !== undefined) return noApic;
  }
  return undefined;
}

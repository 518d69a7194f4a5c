/** KVM_GET_MP_STATE and KVM_SET_MP_STATE. Order: arch/x86/kvm/x86.c, Linux 7.3. */
import { type MpState, mpStates } from '../../../abi/kvm/mp-states.ts';
import type { Answer, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Vcpu } from '../objects.ts';

/** Obsolete: the vCPU waits for its SIPI, which is there. A TD's never comes through. */
const SIPI_RECEIVED = 4;

const namesByNumber = new Map<number, MpState>(
  Object.entries(mpStates).map(([name, number]) => [number, name as MpState]),
);

function stateOf(number: number, { vm }: Vcpu): MpState | undefined {
  if (number === SIPI_RECEIVED) return vm.isTd ? 'INIT_RECEIVED' : 'RUNNABLE';
  return namesByNumber.get(number);
}

export function getMpState(vcpu: Vcpu, user: UserStruct<number>): Answer {
  return user.write(mpStates[vcpu.mpState]) ? done : refuse('EFAULT');
}

export function setMpState(vcpu: Vcpu, user: UserStruct<number>): Answer {
  const number = user.read();
  if (number === undefined) return refuse('EFAULT');
  const state = stateOf(number, vcpu);
  if (state === undefined) return refuse('EINVAL');
  // Only a local APIC in the kernel can bring a vCPU out of the others.
  if (number !== mpStates.RUNNABLE && vcpu.vm.irqchip === 'none') return refuse('EINVAL');
  vcpu.mpState = state;
  return done;
}

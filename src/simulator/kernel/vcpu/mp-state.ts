/** KVM_GET_MP_STATE and KVM_SET_MP_STATE are modelled on arch/x86/kvm/x86.c. */
import { type MpState, mpStates } from '../../../abi/kvm/mp-states.ts';
import type { Answer, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

/**
 * In this obsolete state the vCPU waits for a SIPI that has already arrived. The SIPI of a TD's vCPU
 * never comes through.
 */
const SIPI_RECEIVED = 4;

const namesByNumber = new Map<number, MpState>(
  Object.entries(mpStates).map(([name, number]) => [number, name as MpState]),
);

function stateOf(number: number, { vm }: Vcpu): MpState | undefined {
  if (number === SIPI_RECEIVED) return vm.isTd ? 'INIT_RECEIVED' : 'RUNNABLE';
  return namesByNumber.get(number);
}

interface MpStateCall {
  readonly vcpu: Vcpu;
  readonly user: UserStruct<number>;
  readonly number: CopiedIn<number>;
}

const steps: Steps<MpStateCall> = {
  'argument.unwritable': ({ vcpu, user }) => !user.write(mpStates[vcpu.mpState]),
  'argument.unreadable': ({ number }) => number.fails(),
  'set-mp-state.unknown': ({ vcpu, number }) => stateOf(number.value, vcpu) === undefined,
  // Only a local APIC in the kernel can bring a vCPU out of the other states.
  'set-mp-state.no-lapic': ({ vcpu, number }) =>
    number.value !== mpStates.RUNNABLE && vcpu.vm.irqchip === 'none',
};

export function getMpState(kernel: Kernel, vcpu: Vcpu, user: UserStruct<number>): Answer {
  const call = mpStateCall(vcpu, user);
  return firstRefusal(kernel, 'KVM_GET_MP_STATE', { steps, call }) ?? done;
}

export function setMpState(kernel: Kernel, vcpu: Vcpu, user: UserStruct<number>): Answer {
  const call = mpStateCall(vcpu, user);
  const refused = firstRefusal(kernel, 'KVM_SET_MP_STATE', { steps, call });
  if (refused !== undefined) return refused;
  vcpu.mpState = stateOf(call.number.value, vcpu) ?? vcpu.mpState;
  return done;
}

function mpStateCall(vcpu: Vcpu, user: UserStruct<number>): MpStateCall {
  return { vcpu, user, number: new CopiedIn(() => user.read()) };
}

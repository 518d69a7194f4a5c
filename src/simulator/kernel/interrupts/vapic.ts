/** KVM_TPR_ACCESS_REPORTING and KVM_SET_VAPIC_ADDR are modelled on arch/x86/kvm/x86.c. */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, TprAccessStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

interface TprCall {
  readonly user: UserStruct<TprAccessStruct>;
  readonly control: CopiedIn<TprAccessStruct>;
}

const tprSteps: Steps<TprCall> = {
  'argument.unreadable': ({ control }) => control.fails(),
  'tpr-access-reporting.flags': ({ control }) => control.value.flags !== 0,
  'argument.unwritable': ({ user, control }) => !user.write(control.value),
};

/** No access is ever reported here, because it takes a guest that makes one. */
export function tprAccessReporting(kernel: Kernel, user: UserStruct<TprAccessStruct>): Answer {
  const call = { user, control: new CopiedIn(() => user.read()) };
  return firstRefusal(kernel, 'KVM_TPR_ACCESS_REPORTING', { steps: tprSteps, call }) ?? done;
}

interface VapicCall {
  readonly vcpu: Vcpu;
  readonly address: CopiedIn<bigint>;
}

const vapicSteps: Steps<VapicCall> = {
  'set-vapic-addr.no-lapic': ({ vcpu }) => vcpu.vm.irqchip === 'none',
  'argument.unreadable': ({ address }) => address.fails(),
  // The address 0 takes the page away.
  'set-vapic-addr.no-slot': ({ vcpu, address: { value } }) =>
    value !== 0n && vcpu.vm.slots.at(Number(value / PAGE_SIZE)) === undefined,
};

export function setVapicAddr(kernel: Kernel, vcpu: Vcpu, user: UserStruct<bigint>): Answer {
  const call = { vcpu, address: new CopiedIn(() => user.read()) };
  return firstRefusal(kernel, 'KVM_SET_VAPIC_ADDR', { steps: vapicSteps, call }) ?? done;
}

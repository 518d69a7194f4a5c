/** KVM_TPR_ACCESS_REPORTING and KVM_SET_VAPIC_ADDR. Order: arch/x86/kvm/x86.c, Linux 7.3. */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, TprAccessStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { slotAt } from '../memory/memslots.ts';
import type { Vcpu } from '../objects.ts';

/** Nothing here reports an access: it takes a guest that makes one. */
export function tprAccessReporting(user: UserStruct<TprAccessStruct>): Answer {
  const control = user.read();
  if (control === undefined) return refuse('EFAULT');
  if (control.flags !== 0) return refuse('EINVAL');
  return user.write(control) ? done : refuse('EFAULT');
}

/** 0 takes it away; another must be in a memory slot. */
export function setVapicAddr({ vm }: Vcpu, user: UserStruct<bigint>): Answer {
  if (vm.irqchip === 'none') return refuse('EINVAL');
  const address = user.read();
  if (address === undefined) return refuse('EFAULT');
  if (address === 0n) return done;
  return slotAt(vm, Number(address / PAGE_SIZE)) === undefined ? refuse('EINVAL') : done;
}

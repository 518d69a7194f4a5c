/** KVM_NMI, KVM_SMI and KVM_INTERRUPT. Order: arch/x86/kvm/x86.c, Linux 7.3. */
import type { Answer, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { PendingEvents, Vcpu } from '../objects.ts';

/** One that is being handled, and one more. */
const mostNmis = 2;
const KVM_NR_INTERRUPTS = 256;

export function injectNmi({ pending }: Vcpu): Answer {
  pending.nmis = Math.min(mostNmis, pending.nmis + 1);
  return done;
}

/** A TD has no system management mode. */
export function injectSmi({ vm, pending }: Vcpu): Answer {
  if (vm.isTd) return refuse('ENOTTY');
  pending.smi = true;
  return done;
}

export function injectInterrupt({ vm, pending }: Vcpu, user: UserStruct<number>): Answer {
  const vector = user.read();
  if (vector === undefined) return refuse('EFAULT');
  if (vector >= KVM_NR_INTERRUPTS) return refuse('EINVAL');
  // With a local APIC in the kernel this is only for what comes from a PIC, and one at a time.
  if (vm.irqchip === 'kernel') return refuse('ENXIO');
  if (vm.irqchip === 'split' && pending.externalVector !== undefined) return refuse('EEXIST');
  pending.externalVector = vector;
  return done;
}

/** kvm_vcpu_has_events() */
export function hasEvents({ pending }: Vcpu): boolean {
  return pending.nmis > 0 || pending.smi || pending.externalVector !== undefined;
}

export function noEvents(): PendingEvents {
  return { nmis: 0, smi: false, externalVector: undefined };
}

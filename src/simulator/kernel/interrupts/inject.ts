/** KVM_NMI, KVM_SMI and KVM_INTERRUPT are modelled on arch/x86/kvm/x86.c. */
import type { Answer, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { PendingEvents, Vcpu } from '../objects.ts';

/** One NMI may be in the guest's hands while one more waits. */
const mostNmis = 2;
const KVM_NR_INTERRUPTS = 256;

export function injectNmi({ pending }: Vcpu): Answer {
  pending.nmis = Math.min(mostNmis, pending.nmis + 1);
  return done;
}

const smiSteps: Steps<Vcpu> = { 'smi.no-smm': ({ vm }) => vm.isTd };

export function injectSmi(kernel: Kernel, vcpu: Vcpu): Answer {
  const refused = firstRefusal(kernel, 'KVM_SMI', { steps: smiSteps, call: vcpu });
  if (refused !== undefined) return refused;
  vcpu.pending.smi = true;
  return done;
}

interface InterruptCall {
  readonly vcpu: Vcpu;
  readonly vector: CopiedIn<number>;
}

const interruptSteps: Steps<InterruptCall> = {
  'argument.unreadable': ({ vector }) => vector.fails(),
  'interrupt.vector': ({ vector }) => vector.value >= KVM_NR_INTERRUPTS,
  // With a local APIC in the kernel the call is only for interrupts of a PIC in user space, and takes
  // one at a time.
  'interrupt.pic-in-kernel': ({ vcpu }) => vcpu.vm.irqchip === 'kernel',
  'interrupt.pending': ({ vcpu: { vm, pending } }) =>
    vm.irqchip === 'split' && pending.externalVector !== undefined,
};

export function injectInterrupt(kernel: Kernel, vcpu: Vcpu, user: UserStruct<number>): Answer {
  const call = { vcpu, vector: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_INTERRUPT', { steps: interruptSteps, call });
  if (refused !== undefined) return refused;
  vcpu.pending.externalVector = call.vector.value;
  return done;
}

/** The function follows kvm_vcpu_has_events(). */
export function hasEvents({ pending }: Vcpu): boolean {
  return (
    pending.nmis > 0 ||
    pending.smi ||
    pending.externalVector !== undefined ||
    pending.exception?.state === 'pending'
  );
}

export function noEvents(): PendingEvents {
  return { nmis: 0, smi: false, externalVector: undefined, exception: undefined };
}

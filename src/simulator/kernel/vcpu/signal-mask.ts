/** KVM_SET_SIGNAL_MASK is modelled on virt/kvm/kvm_main.c. */
import type { Answer, UserSignalMask } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

const sigsetBytes = 8;
const SIGKILL = 9;
const SIGSTOP = 19;
const unblockable = (1n << BigInt(SIGKILL - 1)) | (1n << BigInt(SIGSTOP - 1));

interface MaskCall {
  readonly length: CopiedIn<number>;
  readonly signals: CopiedIn<bigint>;
}

const steps: Steps<MaskCall> = {
  'argument.unreadable': ({ length }) => length.fails(),
  'signal-mask.length': ({ length }) => length.value !== sigsetBytes,
  'signal-mask.set-unreadable': ({ signals }) => signals.fails(),
};

/**
 * The mask is only kept: the caller's `pendingSignal` and `cancel` decide which signals end a KVM_RUN.
 */
export function setSignalMask(
  kernel: Kernel,
  vcpu: Vcpu,
  mask: UserSignalMask | undefined,
): Answer {
  if (mask === undefined) {
    vcpu.signalMask = undefined;
    return done;
  }
  const call = {
    length: new CopiedIn(() => mask.readLength()),
    signals: new CopiedIn(() => mask.readSignals()),
  };
  const refused = firstRefusal(kernel, 'KVM_SET_SIGNAL_MASK', { steps, call });
  if (refused !== undefined) return refused;
  vcpu.signalMask = call.signals.value & ~unblockable;
  return done;
}

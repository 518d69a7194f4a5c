/** KVM_SET_SIGNAL_MASK. Order: virt/kvm/kvm_main.c, Linux 7.3. */
import type { Answer, UserSignalMask } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Vcpu } from '../objects.ts';

const sigsetBytes = 8;
const SIGKILL = 9;
const SIGSTOP = 19;
const unblockable = (1n << BigInt(SIGKILL - 1)) | (1n << BigInt(SIGSTOP - 1));

/** Which signals end a KVM_RUN is told by the caller's `pendingSignal` and `cancel`. */
export function setSignalMask(vcpu: Vcpu, mask: UserSignalMask | undefined): Answer {
  if (mask === undefined) {
    vcpu.signalMask = undefined;
    return done;
  }
  const length = mask.readLength();
  if (length === undefined) return refuse('EFAULT');
  if (length !== sigsetBytes) return refuse('EINVAL');
  const signals = mask.readSignals();
  if (signals === undefined) return refuse('EFAULT');
  vcpu.signalMask = signals & ~unblockable;
  return done;
}

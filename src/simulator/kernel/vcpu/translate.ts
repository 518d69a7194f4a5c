/** KVM_TRANSLATE: kvm_arch_vcpu_ioctl_translate() in arch/x86/kvm/x86.c. */
import type { Answer, Caller, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { copiedBytes } from './copied-bytes.ts';
import { translateAddress, type Walk } from './page-walk.ts';

const translationBytes = 24;
/** INVALID_GPA, which the highest address without paging is too. */
const noAddress = (1n << 64n) - 1n;

interface TranslateCall {
  readonly walk: Walk;
  readonly user: UserBytes;
  readonly given: CopiedIn<DataView>;
}

const steps: Steps<TranslateCall> = {
  'argument.unreadable': ({ given }) => given.fails(),
  'argument.unwritable': ({ walk, user, given }) => !user.write(translated(walk, given.value)),
};

export function translate(kernel: Kernel, caller: Caller, vcpu: Vcpu, user: UserBytes): Answer {
  const walk = { kernel, vcpu, memory: caller.memory };
  const call = { walk, user, given: copiedBytes(user, translationBytes) };
  return firstRefusal(kernel, 'KVM_TRANSLATE', { steps, call }) ?? done;
}

/** The linear address stays; the physical address, valid, writeable and usermode follow. */
function translated(walk: Walk, given: DataView): Uint8Array {
  const address = translateAddress(walk, given.getBigUint64(0, true)) ?? noAddress;
  const bytes = new Uint8Array(given.buffer.slice(0));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, address, true);
  view.setUint8(16, address === noAddress ? 0 : 1);
  view.setUint8(17, 1);
  view.setUint8(18, 0);
  return bytes;
}

/**
 * KVM_TRANSLATE. A guest's page tables are not looked at: without paging an address is its own translation, and
 * with paging there is none.
 */
import type { Answer, UserBytes } from '../../interface.ts';
import { done } from '../answer.ts';
import { type CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { copiedBytes } from './copied-bytes.ts';
import { currentState } from './vcpu-state.ts';

const translationBytes = 24;
const SREGS_CR0 = 224;
const CR0_PG = 1n << 31n;
const noAddress = (1n << 64n) - 1n;

interface TranslateCall {
  readonly vcpu: Vcpu;
  readonly user: UserBytes;
  readonly given: CopiedIn<DataView>;
}

const steps: Steps<TranslateCall> = {
  'argument.unreadable': ({ given }) => given.fails(),
  'argument.unwritable': ({ vcpu, user, given }) => !user.write(translated(vcpu, given.value)),
};

export function translate(kernel: Kernel, vcpu: Vcpu, user: UserBytes): Answer {
  const call = { vcpu, user, given: copiedBytes(user, translationBytes) };
  return firstRefusal(kernel, 'KVM_TRANSLATE', { steps, call }) ?? done;
}

/** The linear address stays; the physical address, valid, writeable and usermode follow. */
function translated(vcpu: Vcpu, given: DataView): Uint8Array {
  const sregs = currentState(vcpu, 'SREGS');
  const cr0 = new DataView(sregs.buffer, sregs.byteOffset).getBigUint64(SREGS_CR0, true);
  // The CR0 of a TD is not KVM's to see, and reads 0.
  const isPaged = !vcpu.vm.isTd && (cr0 & CR0_PG) !== 0n;
  const bytes = new Uint8Array(given.buffer.slice(0));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, isPaged ? noAddress : given.getBigUint64(0, true), true);
  view.setUint8(16, isPaged ? 0 : 1);
  view.setUint8(17, 1);
  view.setUint8(18, 0);
  return bytes;
}

/** KVM_GET_MSR_INDEX_LIST and KVM_GET_MSR_FEATURE_INDEX_LIST are modelled on arch/x86/kvm/msrs.c. */
import type { Answer, UserMsrList } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';

interface ListCall {
  readonly user: UserMsrList;
  /** Parts of the list, each of which is copied by itself. */
  readonly parts: readonly (readonly number[])[];
  readonly count: number;
  readonly room: CopiedIn<number>;
}

const steps: Steps<ListCall> = {
  'argument.unreadable': ({ room }) => room.fails(),
  // The needed count is written back even where the list does not fit.
  'argument.unwritable': ({ user, count }) => !user.writeCount(count),
  'msr-index-list.too-small': ({ room, count }) => room.value < count,
  'msr-index-list.indices-unwritable': ({ user, parts }) => {
    let at = 0;
    for (const part of parts) {
      if (!user.writeIndices(part, at)) return true;
      at += part.length;
    }
    return false;
  },
};

export function getMsrIndexList(
  kernel: Kernel,
  request: 'KVM_GET_MSR_INDEX_LIST' | 'KVM_GET_MSR_FEATURE_INDEX_LIST',
  user: UserMsrList,
): Answer {
  const { toSave, emulated, features } = kernel.msrs;
  const parts = request === 'KVM_GET_MSR_INDEX_LIST' ? [toSave, emulated] : [[...features.keys()]];
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  const call = { user, parts, count, room: new CopiedIn(() => user.readCount()) };
  return firstRefusal(kernel, request, { steps, call }) ?? done;
}

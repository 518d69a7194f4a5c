/** KVM_GET_MSR_INDEX_LIST and KVM_GET_MSR_FEATURE_INDEX_LIST. Order: arch/x86/kvm/msrs.c. */
import type { Answer, UserMsrList } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';

export function getMsrIndexList(
  { msrs }: Kernel,
  request: 'KVM_GET_MSR_INDEX_LIST' | 'KVM_GET_MSR_FEATURE_INDEX_LIST',
  user: UserMsrList,
): Answer {
  const parts =
    request === 'KVM_GET_MSR_INDEX_LIST'
      ? [msrs.toSave, msrs.emulated]
      : [[...msrs.features.keys()]];
  const room = user.readCount();
  if (room === undefined) return refuse('EFAULT');
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  // The needed count goes back also where it does not fit.
  if (!user.writeCount(count)) return refuse('EFAULT');
  if (room < count) return refuse('E2BIG');
  let at = 0;
  for (const part of parts) {
    if (!user.writeIndices(part, at)) return refuse('EFAULT');
    at += part.length;
  }
  return done;
}

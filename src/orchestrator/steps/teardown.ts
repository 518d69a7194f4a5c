import type { Released, Settled, StepError } from '../../../machines/td-lifecycle/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { TdSession } from '../session.ts';
import { toStepError } from '../step-error.ts';
import { leaveVcpus } from './running.ts';

/** The step waits for vCPUs that are being entered, so that none is inside when its fd is closed. */
export async function stopVcpus(session: TdSession): Promise<void> {
  await session.ledger.settle();
  await leaveVcpus(session);
}

export async function settleStep({ ledger, handles }: TdSession): Promise<Settled> {
  await ledger.settle();
  return { holdsKeySlot: handles.has('tdInitialized') };
}

/**
 * KVM_TDX_TERMINATE_VM is posted and not in Linux 7.3, and no capability announces it: asking is the
 * only way to know, and EINVAL is the normal answer. Whatever the answer, the last close frees the key
 * slot, only later; so a refusal is worth a warning and never fails the teardown.
 */
export async function terminateTd({ ledger, handles, publish }: TdSession): Promise<void> {
  await ledger.settle();
  if (!handles.has('vm')) return;
  try {
    await handles.get('vm').tdxTerminateVm();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    if (error.code !== 'EINVAL') {
      publish({ event: 'td.warning', message: `KVM_TDX_TERMINATE_VM answered ${error.code}` });
    }
  }
}

export async function releaseTd({ ledger, publish }: TdSession): Promise<Released> {
  const leftovers: StepError[] = [];
  await ledger.releaseAll(({ what, error }) => {
    if (error === undefined) {
      publish({ event: 'resource.released', what });
      return;
    }
    const leftover = toStepError('releasing', error);
    leftovers.push(leftover);
    publish({ event: 'resource.released', what, error: leftover });
  });
  return { leftovers };
}

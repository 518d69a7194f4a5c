/** Turns what an effect throws into the plain record that the chart keeps. */
import type { RefusalFacts, StepError } from '../../machines/td-lifecycle/index.ts';
import { formatWord } from '../abi/tdx/status.ts';
import { TdctlError } from '../errors/index.ts';
import type { KeySlots } from '../host/facts.ts';
import { KvmError } from '../host/kvm-error.ts';
import type { TdSession } from './session.ts';

/** The record includes what is known of the host and the VM at this moment. */
export async function stepErrorIn(
  session: TdSession,
  step: string,
  error: unknown,
): Promise<StepError> {
  const facts = error instanceof KvmError ? await factsFor(error, session) : undefined;
  return toStepError(step, error, facts);
}

export function toStepError(step: string, error: unknown, facts?: RefusalFacts): StepError {
  if (error instanceof KvmError) {
    const { request, capability, code: errno, check } = error;
    const hwStatus = error.hwStatus === undefined ? undefined : formatWord(error.hwStatus);
    const leaf = error.leaf && { name: error.leaf.name, status: formatWord(error.leaf.status) };
    return { step, refusal: { request, capability, errno, hwStatus, check, leaf, facts } };
  }
  if (error instanceof TdctlError) {
    const { code, message, details, hint } = error;
    return { step, code, message, details: details.length === 0 ? undefined : details, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { step, code: 'TDCTL_E_INTERNAL', message };
}

async function factsFor(error: KvmError, session: TdSession): Promise<RefusalFacts> {
  const { handles } = session;
  return {
    keySlots: error.code === 'ENOSPC' ? await readKeySlots(session) : undefined,
    perVmVcpus: handles.has('maxVcpus') ? handles.get('maxVcpus') : undefined,
    repeatedMs: error.repeatedMs,
  };
}

/** The function never throws, because an error here must not hide the one that is being noted. */
async function readKeySlots({ host }: TdSession): Promise<KeySlots | undefined> {
  try {
    return await host.keySlots();
  } catch {
    return undefined;
  }
}

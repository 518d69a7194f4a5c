/** Turns what an effect throws into the plain record that the chart keeps. */
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import { formatWord } from '../abi/tdx/status.ts';
import { explainRefusal, type KnownFacts } from '../diagnosis/refusals.ts';
import { TdctlError } from '../errors/index.ts';
import { KvmError } from '../host/kvm-error.ts';

/** @param facts what is known of the host: the words of a refusal are narrowed by it. */
export function toStepError(step: string, error: unknown, facts?: KnownFacts): StepError {
  if (error instanceof KvmError) return fromKvmError(step, error, facts);
  if (error instanceof TdctlError) {
    return {
      step,
      code: error.code,
      message: error.message,
      ...(error.details.length === 0 ? {} : { details: error.details }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { step, code: 'TDCTL_E_INTERNAL', message };
}

function fromKvmError(step: string, error: KvmError, facts: KnownFacts | undefined): StepError {
  const { request, code: errno, hwStatus } = error;
  const { code, meaning, hint } = explainRefusal({ request, errno, hwStatus, facts });
  const status = hwStatus === undefined ? undefined : formatWord(hwStatus);
  const answer = status === undefined ? errno : `${errno}, TDX status ${status}`;
  return {
    step,
    code,
    message: `${request} answered ${answer}: ${meaning}`,
    hint,
    request,
    errno,
    ...(status === undefined ? {} : { hwStatus: status }),
  };
}

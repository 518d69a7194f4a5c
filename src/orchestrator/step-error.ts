/** Turns what an effect throws into the plain record that the chart keeps. */
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import { explainRefusal } from '../diagnosis/refusals.ts';
import { TdctlError } from '../errors/index.ts';
import { KvmError } from '../host/kvm-error.ts';

export function toStepError(step: string, error: unknown): StepError {
  if (error instanceof KvmError) return fromKvmError(step, error);
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

function fromKvmError(step: string, error: KvmError): StepError {
  const { code, meaning, hint } = explainRefusal(error.request, error.code);
  const status = error.hwStatus === undefined ? undefined : formatStatusWord(error.hwStatus);
  const answer = status === undefined ? error.code : `${error.code}, TDX status ${status}`;
  return {
    step,
    code,
    message: `${error.request} answered ${answer}: ${meaning}`,
    hint,
    request: error.request,
    errno: error.code,
    ...(status === undefined ? {} : { hwStatus: status }),
  };
}

function formatStatusWord(status: bigint): string {
  return `0x${status.toString(16).toUpperCase().padStart(16, '0')}`;
}

import { requestWith } from '../abi/kvm/requests.ts';
import { wordsOf } from '../diagnosis/refusals.ts';
import { TdctlError } from '../errors/index.ts';
import { KvmError } from '../host/kvm-error.ts';
import { toStepError } from '../orchestrator/index.ts';

/**
 * Gives the error of a request that was refused outside of every step, as when a host is opened or asked
 * what it offers: the same words as in a step. Any other error is given back as it is.
 */
export function refusedOutside(error: unknown): unknown {
  if (!(error instanceof KvmError)) return error;
  const op = requestWith(error.request, error.capability);
  const { code, message, hint } = wordsOf(toStepError(op, error), undefined);
  return new TdctlError({ code, op, message, hint });
}

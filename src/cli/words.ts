/** Step errors as every output prints them. diagnosis/refusals.ts makes the words themselves. */
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import { type ErrorInWords, wordsOf } from '../diagnosis/refusals.ts';
import { TdctlError } from '../errors/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { MigrationRunEvent, TdRunEvent } from '../orchestrator/index.ts';

export type PrintedEvent = TdRunEvent<ErrorInWords>;
type AnyEvent<Failure> = TdRunEvent<Failure> | MigrationRunEvent<Failure>;
type Host = HostFacts | undefined;

export function eventInWords(event: TdRunEvent, host: Host): PrintedEvent;
export function eventInWords(event: AnyEvent<StepError>, host: Host): AnyEvent<ErrorInWords>;
export function eventInWords(event: AnyEvent<StepError>, host: Host): AnyEvent<ErrorInWords> {
  switch (event.event) {
    case 'resource.released': {
      const { error, ...released } = event;
      return error === undefined ? released : { ...released, error: wordsOf(error, host) };
    }
    case 'td.ended':
    case 'migration.ended': {
      const error = event.error && wordsOf(event.error, host);
      const leftovers = event.leftovers.map((leftover) => wordsOf(leftover, host));
      return { ...event, error, leftovers };
    }
    default:
      return event;
  }
}

/** A command ends with this when a step has failed. `where` is the step, unless something says more. */
export function stepFailure(error: ErrorInWords, where = error.step): TdctlError {
  const { code, step: op, message, details, hint } = error;
  return new TdctlError({ code, op, message: `${where}: ${message}`, details, hint });
}

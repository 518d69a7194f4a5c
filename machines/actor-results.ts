/** What an actor's end says, as guards and actions take it; the same for every machine. */
import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { StepError } from './step-error.ts';

export function output<Output>({ event }: { event: DoneActorEvent<Output> }): Output {
  return event.output;
}

export function keepError() {
  return {
    type: 'keepError' as const,
    params: ({ event }: { event: ErrorActorEvent }) => ({ error: event.error }),
  };
}

/** Actors reject with a StepError; anything else is a defect and says so. */
export function asStepError(error: unknown): StepError {
  if (isStepError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return { step: 'unknown', code: 'TDCTL_E_INTERNAL', message };
}

function isStepError(value: unknown): value is StepError {
  if (typeof value !== 'object' || value === null || !('step' in value)) return false;
  return 'refusal' in value || 'code' in value;
}

/** Guards and actions read here how an actor ended. It is the same for every machine. */
import { type DoneActorEvent, type ErrorActorEvent, fromPromise } from 'xstate';
import type { StepError } from './step-error.ts';

/** A machine that nobody gave its effects to must not look as though it worked. */
export function unprovided<Output>() {
  return fromPromise<Output>(() => Promise.reject(new Error('this actor was not provided')));
}

export function output<Output>({ event }: { event: DoneActorEvent<Output> }): Output {
  return event.output;
}

export function actorError({ event }: { event: ErrorActorEvent }) {
  return { error: event.error };
}

export function keepError() {
  return { type: 'keepError', params: actorError } as const;
}

/** Actors reject with a StepError; anything else is a defect, and the record says so. */
export function asStepError(error: unknown): StepError {
  if (isStepError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return { step: 'unknown', code: 'TDCTL_E_INTERNAL', message };
}

function isStepError(value: unknown): value is StepError {
  if (typeof value !== 'object' || value === null || !('step' in value)) return false;
  return 'refusal' in value || 'code' in value;
}

/** What a listener to a run hears. It is a type alone, because the page of `tdctl watch` has it too. */
import type { StepError } from '../../machines/step-error.ts';
import type { TdRunEvent } from '../orchestrator/events.ts';
import type { MigrationRunEvent } from '../orchestrator/migration/events.ts';

export interface RecordedEvent<Failure = StepError> {
  readonly lane: string;
  readonly atMs: number;
  readonly event: TdRunEvent<Failure> | MigrationRunEvent<Failure>;
  /** So many key slots are in use after the event; undefined where only the kernel knows. */
  readonly usedSlots: number | undefined;
}

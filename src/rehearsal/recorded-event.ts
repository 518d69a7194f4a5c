/** What a listener to a run hears. A type alone: the browser's side of `tdctl watch` reads it too. */
import type { StepError } from '../../machines/step-error.ts';
import type { TdRunEvent } from '../orchestrator/events.ts';
import type { MigrationRunEvent } from '../orchestrator/migration/events.ts';

export interface RecordedEvent<Failure = StepError> {
  readonly lane: string;
  readonly atMs: number;
  readonly event: TdRunEvent<Failure> | MigrationRunEvent<Failure>;
  /** Key slots in use after it; undefined where only the kernel knows. */
  readonly usedSlots: number | undefined;
}

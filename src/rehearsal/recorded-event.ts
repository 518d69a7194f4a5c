/** What a listener to a run hears. A type alone: the browser's side of `tdctl watch` reads it too. */
import type { TdRunEvent } from '../orchestrator/events.ts';
import type { MigrationRunEvent } from '../orchestrator/migration/events.ts';

export interface RecordedEvent {
  readonly lane: string;
  readonly atMs: number;
  readonly event: TdRunEvent | MigrationRunEvent;
  /** Key slots in use after it; undefined where only the kernel knows. */
  readonly usedSlots: number | undefined;
}

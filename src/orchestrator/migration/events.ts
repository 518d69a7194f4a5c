/** A migration tells the outside these events, beside those of its two TDs (docs/events.md). */
import type { MigrationStateId, Verdict } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { StateEntered, StepEnded } from '../events.ts';

export type MigrationEventBody<Failure = StepError> =
  | StateEntered
  | StepEnded
  | { readonly event: 'migration.warning'; readonly message: string }
  | {
      readonly event: 'migration.ended';
      readonly verdict: Verdict;
      readonly error: Failure | null;
      readonly leftovers: readonly Failure[];
    };

export type MigrationRunEvent<Failure = StepError> = {
  readonly td: string;
  readonly machine: 'intra-host-migration';
  readonly machineVersion: number;
  readonly state: MigrationStateId;
  readonly elapsedMs: number;
} & MigrationEventBody<Failure>;

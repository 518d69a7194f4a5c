/** What a migration tells the outside, beside the events of its two TDs (docs/events.md). */
import type { MigrationStateId, Verdict } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/td-lifecycle/index.ts';
import type { StateEntered, StepEnded } from '../events.ts';

export type MigrationEventBody =
  | StateEntered
  | StepEnded
  | { readonly event: 'migration.warning'; readonly message: string }
  | {
      readonly event: 'migration.ended';
      readonly verdict: Verdict;
      readonly error: StepError | null;
      readonly leftovers: readonly StepError[];
    };

export type MigrationRunEvent = {
  readonly td: string;
  readonly machine: 'intra-host-migration';
  readonly machineVersion: number;
  readonly state: MigrationStateId;
  readonly elapsedMs: number;
} & MigrationEventBody;

/** What a migration tells the outside, beside the events of its two TDs (docs/events.md). */
import type { Verdict } from '../../../machines/intra-host-migration/context.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { RequestCount } from '../events.ts';

export type MigrationEventBody<Failure = StepError> =
  | { readonly event: 'state.entered' }
  | {
      readonly event: 'step.ended';
      readonly step: string;
      readonly result: 'done' | 'failed' | 'interrupted';
      readonly durationMs: number;
      readonly requests: readonly RequestCount[];
    }
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
  readonly state: string;
  readonly elapsedMs: number;
} & MigrationEventBody<Failure>;

/** What the chart of a migration knows. Plain data: it survives JSON, and holds no fd. */
import type { StepError } from '../step-error.ts';

export interface MigrationInput {
  /** The TD that moves. */
  readonly td: string;
}

export interface MigrationContext extends MigrationInput {
  /** The first step that failed: why the TD did not get there, if nobody asked for it. */
  readonly error: StepError | null;
  /** What could not be given back, of either VM. */
  readonly leftovers: readonly StepError[];
  /** How entering the vCPUs of the destination went; null before it was tried. */
  readonly resumed: boolean | null;
}

/** Who has the TD, found by asking both VMs and never derived from an errno. */
export interface OwnerFound {
  readonly owner: 'source' | 'destination' | 'nobody';
}

/** What came of giving a VM back. */
export interface GivenBack {
  readonly leftovers: readonly StepError[];
}

export interface RolledBack extends GivenBack {
  /** The source is what it was before: running again, or whole and at rest. */
  readonly sourceKept: boolean;
}

/**
 * `completed`: the TD is in the destination as it was in the source, and nothing of the source is left.
 * `sourceKept`: it is in the source as before. `destinationOnly`: it is in the destination, but it does
 * not run there, or the source could not be given back. `lost`: no VM has it any more.
 */
export type Verdict = 'completed' | 'sourceKept' | 'destinationOnly' | 'lost';

export interface MigrationOutput {
  readonly td: string;
  readonly verdict: Verdict;
  readonly error: StepError | null;
  readonly leftovers: readonly StepError[];
}

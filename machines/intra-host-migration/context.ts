/** What the chart of a migration knows. Plain data: it survives JSON, and holds no fd. */
import type { StepError } from '../step-error.ts';

export interface MigrationInput {
  /** The TD that moves. */
  readonly td: string;
  /** It was inside KVM_RUN when the migration began, and shall be again. */
  readonly wasRunning: boolean;
}

export interface MigrationContext extends MigrationInput {
  /** The first step that failed: why the TD did not get there, if nobody asked for it. */
  readonly error: StepError | null;
  /** What could not be given back, of either VM. */
  readonly leftovers: readonly StepError[];
  /** How entering the vCPUs of the destination went; null before it was tried. */
  readonly resumed: boolean | null;
}

/** Whether a VM has the TD, found by asking it and never derived from the errno of a move. */
export interface Asked {
  readonly hasTd: boolean;
}

/** The source is nobody's charge any more. */
export interface LetGo {
  /** It was told to stop while the migration had it, and has ended. */
  readonly stopped: boolean;
}

/** What came of giving a VM back. */
export interface GivenBack {
  readonly leftovers: readonly StepError[];
}

/**
 * `completed`: the TD is in the destination as it was in the source, and nothing of the source is left.
 * `sourceKept`: it is in the source as before, unless somebody has stopped it meanwhile. `destinationOnly`: it is in the destination, but it does
 * not run there, or the source could not be given back. `lost`: no VM has it any more.
 */
export type Verdict = 'completed' | 'sourceKept' | 'destinationOnly' | 'lost';

export interface MigrationOutput {
  readonly td: string;
  readonly verdict: Verdict;
  readonly error: StepError | null;
  readonly leftovers: readonly StepError[];
}

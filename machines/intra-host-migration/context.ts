/**
 * The context is what the chart of a migration knows. It is plain data, so that it survives JSON, and
 * holds no fd.
 */
import type { StepError } from '../step-error.ts';

export interface MigrationInput {
  /** The TD that moves. */
  readonly td: string;
  /** True when the TD was inside KVM_RUN as the migration began, and shall be again. */
  readonly wasRunning: boolean;
}

export interface MigrationContext extends MigrationInput {
  /**
   * Error of the first step that failed. It is why the TD did not get there, if nobody asked for that.
   */
  readonly error: StepError | null;
  /** What could not be given back, of either VM. */
  readonly leftovers: readonly StepError[];
  /** How entering the vCPUs of the destination went; null before it was tried. */
  readonly resumed: boolean | null;
}

/**
 * The answer tells whether a VM has the TD. It is found by asking the VM, and never derived from the
 * errno of a move.
 */
export interface Asked {
  readonly hasTd: boolean;
}

/** Nobody has to take care of the source any more. */
export interface LetGo {
  /** True when the source was told to stop while the migration had it, and has ended. */
  readonly stopped: boolean;
}

/** The record tells what came of giving a VM back. */
export interface GivenBack {
  readonly leftovers: readonly StepError[];
}

/**
 * `completed`: the TD is in the destination as it was in the source, and nothing of the source is left.
 * `sourceKept`: the TD is in the source as before, unless somebody has stopped it meanwhile.
 * `destinationOnly`: the TD is in the destination, but it does not run there, or the source could not
 * be given back. `lost`: no VM has the TD any more.
 */
export type Verdict = 'completed' | 'sourceKept' | 'destinationOnly' | 'lost';

export interface MigrationOutput {
  readonly td: string;
  readonly verdict: Verdict;
  readonly error: StepError | null;
  readonly leftovers: readonly StepError[];
}

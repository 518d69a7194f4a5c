/** What every table of this room holds: an answer with a stable id. */
import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';

/**
 * Where an answer stands in a whole log. A cause comes before what follows from it
 * ("module initialization failed (-5)"); a note tells how far things got, or warns; a healthy line says
 * that something works.
 */
export type Rank = 'cause' | 'effect' | 'note' | 'healthy';

export interface Answer {
  /** Stable: scripts, docs/messages.md and bug reports refer to it. */
  readonly id: string;
  /** What it means. A clause without a full stop. */
  readonly meaning: string;
  /** What leads to it, likeliest first; none where the meaning says it all. */
  readonly causes?: readonly string[];
  /** What to do next: an imperative clause, with a command where there is one. */
  readonly next: string;
  /** Absent: a cause. */
  readonly rank?: Rank;
}

/** Whose checks are shown where a request was refused; absent: those of the default. */
export interface ExplainOptions {
  readonly kernel?: KernelAbi | undefined;
}

/** The context is what the chart knows. It is plain data, so that it survives JSON, and holds no fd. */
import type { StepError } from '../step-error.ts';

export interface VmmTdInput {
  readonly name: string;
  /** Whether a guest that asks for a reset gets a new TD. */
  readonly restarts: boolean;
}

export interface VmmTdContext extends VmmTdInput {
  /** True from the moment at which the VMM says that it has made the TD, until the slot is seen free. */
  readonly holdsKeySlot: boolean;
  /** No VMM tells the MRTD. */
  readonly mrtd: null;
  /** The guest has asked for a reset: the TD is made anew once this one is gone. */
  readonly comesBack: boolean;
  /** Error of the first step that failed, and why the TD is being taken down, if nobody asked for that. */
  readonly error: StepError | null;
  /** What could not be given back. */
  readonly leftovers: readonly StepError[];
}

/** How the wait for a VMM's own end came out, where that is no failure. */
export interface Watched {
  readonly asksForReset: boolean;
}

export interface VmmSettled {
  /** A VMM that was cut off while it made the TD may hold a slot, and nobody was told. */
  readonly holdsKeySlot: boolean;
}

export interface VmmReleased {
  readonly leftovers: readonly StepError[];
}

/** In which state a keeper finds a VMM that another one has left. */
export type FoundVmm = 'unbuilt' | 'built' | 'running' | 'paused' | 'ending';

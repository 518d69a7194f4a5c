import { interrupt } from './interrupts.ts';

/**
 * Keeps a defect in what is shown of a run from the run itself: a view that throws would leave the chart
 * half way, with a TD held. The run is stopped as by a signal, and `rethrow` tells the defect once
 * everything has been given back.
 */
export class GuardedView {
  #defect: { readonly error: unknown } | undefined;

  /** The same function, which does not throw. */
  guarded<Args extends unknown[]>(show: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      try {
        show(...args);
      } catch (error) {
        this.#defect ??= { error };
        interrupt('a defect of tdctl');
      }
    };
  }

  rethrow(): void {
    if (this.#defect !== undefined) throw this.#defect.error;
  }
}

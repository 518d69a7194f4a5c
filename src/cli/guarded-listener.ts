import { interrupt } from './interrupts.ts';

/**
 * Keeps a defect in what is shown of a run from the run itself: a listener that throws would leave the
 * chart half way, with a TD held. The run is stopped as by a signal, and `rethrow` tells the defect once
 * everything has been given back.
 */
export function guardedListener<Event>(listener: (event: Event) => void) {
  let defect: { readonly error: unknown } | undefined;
  return {
    listener: (event: Event): void => {
      try {
        listener(event);
      } catch (error) {
        defect ??= { error };
        interrupt('a defect of tdctl');
      }
    },
    rethrow: (): void => {
      if (defect !== undefined) throw defect.error;
    },
  };
}

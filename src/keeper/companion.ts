/** What goes along with a kept TD: it may hold steps up, hears what happens, and sees the end. */
import type { TdOutput } from '../../machines/td-lifecycle/index.ts';
import type { AroundStep, TdRunEvent } from '../orchestrator/index.ts';

export interface Companion {
  /** Comes around each step once its beginning is written down. */
  readonly aroundStep?: AroundStep | undefined;
  /** Hears each event once it is written down. */
  readonly event?:
    | ((event: TdRunEvent, td: { readonly holdsKeySlot: boolean }) => void)
    | undefined;
  /** Everything was given back, as far as it could be, and that is written down. It must not throw. */
  readonly ended?: ((output: TdOutput) => Promise<void>) | undefined;
}

/** The journal's is the outermost, then the first. */
export function aroundAll(companions: readonly Companion[], aroundStep: AroundStep): AroundStep {
  return companions.reduce<AroundStep>((outer, { aroundStep: own }) => {
    if (own === undefined) return outer;
    return (step, run) => outer(step, () => own(step, run));
  }, aroundStep);
}

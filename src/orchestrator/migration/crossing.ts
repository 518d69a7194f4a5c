/**
 * What a guest waits for while it stands still, done in one go as soon as its state is here: each only where the one
 * before it is done. The chart comes to these steps afterwards, and each finds here what came of it: so the guest does
 * not wait for the chart, and what follows from a failure is decided there as ever.
 */
import type { MigrationStateId } from '../../../machines/intra-host-migration/index.ts';

/** By the states of the chart that they are the work of, in their order. */
interface Work {
  readonly writingState: () => unknown;
  readonly moving: () => unknown;
  readonly restoringMemory: () => unknown;
  readonly enteringDestination: () => unknown;
}

const crossingSteps = [
  ['writingState', 'revocable.quiescingSource.writingState'],
  ['moving', 'irrevocable.moving'],
  ['restoringMemory', 'irrevocable.resumingDestination.restoringMemory'],
  ['enteringDestination', 'irrevocable.resumingDestination.enteringDestination'],
] as const satisfies readonly (readonly [keyof Work, MigrationStateId])[];

export class Crossing {
  readonly #begun: { readonly state: MigrationStateId; readonly at: number }[] = [];
  readonly #done = new Set<keyof Work>();
  #failed: { readonly step: keyof Work; readonly error: unknown } | undefined;
  #endedAt: number | undefined;

  /** When its steps were begun, on the clock of `performance.now()`. */
  get begun(): readonly { readonly state: MigrationStateId; readonly at: number }[] {
    return this.#begun;
  }

  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** @throws what the step has failed with. */
  hasDone(step: keyof Work): boolean {
    if (this.#failed?.step === step) throw this.#failed.error;
    return this.#done.has(step);
  }

  /** Never rejects: whoever comes to the step that has failed is told. */
  async go(work: Work): Promise<void> {
    for (const [step, state] of crossingSteps) {
      this.#begun.push({ state, at: performance.now() });
      try {
        await work[step]();
        this.#done.add(step);
      } catch (error) {
        this.#failed = { step, error };
        break;
      }
    }
    this.#endedAt = performance.now();
  }
}

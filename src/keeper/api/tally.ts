/** Counts what a keeper's run tells, for its metrics. */
import type { ErrorInWords } from '../../diagnosis/refusals.ts';
import type { TdRunEvent } from '../../orchestrator/index.ts';
import type { KeptMetrics } from './metrics.ts';

type Counted = Pick<KeptMetrics, 'pauses' | 'pausedMs' | 'teardownMs' | 'refusals'>;

/** From the first of these on a TD is taken down; none leads back. */
const teardownStates: readonly string[] = ['stopping', 'interrupting', 'terminating', 'releasing'];

export class Tally {
  readonly #refusals = new Map<string, KeptMetrics['refusals'][number]>();
  readonly #now: () => number;
  #pauses = 0;
  #pausedMs = 0;
  #pausedSince: number | undefined;
  #teardownSince: number | undefined;
  #teardownMs: number | undefined;

  /** @param now milliseconds of a clock that nobody sets. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  take(event: TdRunEvent<ErrorInWords>): void {
    if (event.event === 'state.entered') this.#enter(event.state);
    if (event.event === 'resource.released') this.#refused(event.error);
    if (event.event !== 'td.ended') return;
    this.#enter(event.state);
    if (this.#teardownSince !== undefined) this.#teardownMs = this.#now() - this.#teardownSince;
    this.#refused(event.error);
  }

  counted(): Counted {
    const now = this.#now();
    const pausing = this.#pausedSince === undefined ? 0 : now - this.#pausedSince;
    const goingDown = this.#teardownSince === undefined ? null : now - this.#teardownSince;
    return {
      pauses: this.#pauses,
      pausedMs: this.#pausedMs + pausing,
      teardownMs: this.#teardownMs ?? goingDown,
      refusals: [...this.#refusals.values()],
    };
  }

  #enter(state: string): void {
    if (this.#pausedSince !== undefined && state !== 'paused') {
      this.#pausedMs += this.#now() - this.#pausedSince;
      this.#pausedSince = undefined;
    }
    if (state === 'paused' && this.#pausedSince === undefined) {
      this.#pauses += 1;
      this.#pausedSince = this.#now();
    }
    if (teardownStates.includes(state)) this.#teardownSince ??= this.#now();
  }

  #refused(error: ErrorInWords | null | undefined): void {
    if (error?.request === undefined) return;
    const { request, check = error.errno ?? '' } = error;
    const key = `${request} ${check}`;
    const count = (this.#refusals.get(key)?.count ?? 0) + 1;
    this.#refusals.set(key, { request, check, count });
  }
}

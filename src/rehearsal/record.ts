/** What is noted of a run while it goes on: the steps of every VM, and the key slots over time. */
import type { MigrationStateId, Verdict } from '../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../machines/td-lifecycle/index.ts';
import type {
  AnyTdStateId,
  MigrationRunEvent,
  RequestCount,
  StepResult,
  TdRunEvent,
} from '../orchestrator/index.ts';
import type { MoveBlackout } from './blackout.ts';
import type { RecordedEvent } from './recorded-event.ts';

/** A TD has a lane for each VM it has been in: `web`, `web→2`, `web→3`; a move stands in its own. */
export interface LaneStep {
  readonly lane: string;
  readonly step: string;
  readonly result: StepResult;
  /** Both times are milliseconds of the machine's clock, from the start of the run. */
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: readonly RequestCount[];
}

export type AnyStateId = AnyTdStateId | MigrationStateId;

export interface LaneState {
  readonly lane: string;
  readonly state: AnyStateId;
  readonly atMs: number;
}

export interface SlotSample {
  readonly atMs: number;
  readonly used: number;
}

export interface Blackout extends MoveBlackout {
  readonly td: string;
  /** The how-manieth move of this TD, from 1. */
  readonly hop: number;
  /**
   * From the entry in the destination until every vCPU of its guest has counted on: the page tables there are
   * empty at first. Absent where no guest says so.
   */
  brownoutMs?: number;
}

export interface MoveResult {
  readonly td: string;
  readonly hop: number;
  readonly verdict: Verdict;
  readonly error: StepError | null;
  readonly leftovers: readonly StepError[];
}

interface RecordOptions {
  readonly now: () => number;
  readonly usedSlots: () => number | undefined;
  /** The listener hears everything as it happens: it is for a live view. */
  readonly listener?: ((event: RecordedEvent) => void) | undefined;
}

export class RunRecord {
  readonly steps: LaneStep[] = [];
  readonly states: LaneState[] = [];
  readonly slots: SlotSample[] = [];
  readonly blackouts: Blackout[] = [];
  readonly moves: MoveResult[] = [];
  readonly #statesByLane = new Map<string, readonly LaneState[]>();
  readonly #lastByTd = new Map<string, LaneState>();
  readonly #options: RecordOptions;
  readonly #startMs: number;
  #noted = 0;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#startMs = options.now();
    this.#sample(0);
  }

  get elapsedMs(): number {
    return this.#options.now() - this.#startMs;
  }

  /** How many events there have been. */
  get noted(): number {
    return this.#noted;
  }

  /** Somebody hears every event, and not only what is noted here. */
  get isHeard(): boolean {
    return this.#options.listener !== undefined;
  }

  get peakSlots(): number {
    return this.slots.reduce((peak, { used }) => Math.max(peak, used), 0);
  }

  /** The step under way, of one TD or of all of them, as far as the charts have told. */
  lastEntered(td?: string): { readonly lane: string; readonly state: AnyStateId | '' } {
    const last = td === undefined ? this.states.at(-1) : this.#lastByTd.get(td);
    return last ?? { lane: '', state: '' };
  }

  note(lane: string, event: TdRunEvent | MigrationRunEvent): void {
    const atMs = this.elapsedMs;
    this.#noted++;
    if (event.event === 'step.ended') {
      const { step, result, requests, durationMs } = event;
      this.steps.push({ lane, step, result, requests, startMs: atMs - durationMs, endMs: atMs });
      this.#sample(atMs);
    } else if (event.event === 'state.entered') {
      const entered = { lane, state: event.state, atMs };
      this.states.push(entered);
      this.#statesByLane.set(lane, [...this.statesOf(lane), entered]);
      this.#lastByTd.set(event.td, entered);
      this.#sample(atMs);
    }
    this.#options.listener?.({ lane, atMs, event, usedSlots: this.#options.usedSlots() });
  }

  statesOf(lane: string): readonly LaneState[] {
    return this.#statesByLane.get(lane) ?? [];
  }

  #sample(atMs: number): void {
    this.sampled(atMs, this.#options.usedSlots());
  }

  /** There is a sample for each change, and none between. */
  sampled(atMs: number, used: number | undefined): void {
    if (used === undefined || this.slots.at(-1)?.used === used) return;
    this.slots.push({ atMs, used });
  }
}

/** What a keeper writes into the journal while its chart runs. */
import type { AnyEventObject } from 'xstate';
import {
  runSteps,
  TD_LIFECYCLE_VERSION,
  tdLifecycle,
  teardownSteps,
} from '../../machines/td-lifecycle/index.ts';
import type { TdctlError } from '../errors/index.ts';
import type { AroundStep, TdRunEvent } from '../orchestrator/index.ts';
import type { JournalBody, JournalRecord } from './journal/records.ts';
import { type Moment, momentNow } from './moment.ts';

/** Appends a record. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
export type AppendRecord = (
  body: JournalBody & Partial<Moment>,
  options: { readonly flush: boolean },
) => JournalRecord;

export interface JournalingOptions {
  readonly append: AppendRecord;
  readonly onRecord: (record: JournalRecord) => void;
  /** Is told once, of the first record that could not be written while nothing was to be taken. */
  readonly onTrouble: (error: TdctlError) => void;
}

const [, , pausing, stopping] = runSteps;
/** These take nothing. They are done whether they can be written down or not. */
const givingBack: readonly string[] = [
  pausing.state,
  stopping.state,
  'interrupting',
  ...teardownSteps.map(({ state }) => state),
];
/** There are many of the others, and nothing is concluded from any. */
export function isWritten({ event }: TdRunEvent): boolean {
  return event !== 'request.answered' && event !== 'step.progress';
}

/** What was given back is on the disk before anybody can see that it is free. */
export function hasGivenBack(event: TdRunEvent): boolean {
  return event.event === 'step.ended' && givingBack.includes(event.step);
}

/** A chart by its id, and its version. */
export interface ChartName {
  readonly id: string;
  readonly version: number;
}

export class Journaling {
  readonly #options: JournalingOptions;
  #chart: ChartName = { id: tdLifecycle.id, version: TD_LIFECYCLE_VERSION };
  #isTroubled = false;
  #isOver = false;
  #held: { readonly body: JournalBody; readonly flush: boolean }[] | undefined;

  constructor(options: JournalingOptions) {
    this.#options = options;
  }

  /** @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  begin(body: JournalBody): void {
    this.#write(body, true);
  }

  /** Writes it down if that can be done: what has happened already, or must go on whatever the disk says. */
  note(body: JournalBody, { flush = false }: { readonly flush?: boolean } = {}): void {
    try {
      this.#write(body, flush);
    } catch (error) {
      this.#trouble(error);
    }
  }

  /** What was written elsewhere before, as it was then. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  again(record: JournalBody & Moment): void {
    this.#write(record, false);
  }

  /** Nothing more is written: the directory is another keeper's. */
  end(): void {
    this.#isOver = true;
  }

  /** What must be on the disk before it counts. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  takes(body: JournalBody): void {
    this.#writeHeld();
    this.#writeNow(body, true);
  }

  /**
   * While a guest stands still for a move nothing is written, because it would wait for that; but for what
   * {@link takes} writes, and all that comes before it. Nothing is taken then that anybody could have to know of.
   */
  hold(): void {
    if (this.#held !== undefined) return;
    this.#held = [];
  }

  /** Writes what was held, and from now on at once. */
  goOn(): void {
    try {
      this.#writeHeld();
    } catch (error) {
      this.#trouble(error);
    }
    this.#held = undefined;
  }

  /**
   * A step that takes something begins only once that is on the disk: a keeper that died must not have held what
   * nobody can know of. @throws TdctlError TDCTL_E_NOT_WRITABLE, by which the chart undoes what was done.
   */
  readonly aroundStep: AroundStep = (step, run) => {
    const intent = { kind: 'begins', step } as const;
    if (givingBack.includes(step)) this.note(intent);
    else this.#write(intent, true);
    return run();
  };

  /** The chart whose events come, where it is not that of a TD that tdctl makes itself. */
  follows(chart: ChartName): void {
    this.#chart = chart;
  }

  readonly chartEvent = (event: AnyEventObject): void => {
    const isFirst = event.type === 'xstate.init';
    const { id: machine, version: machineVersion } = this.#chart;
    const input = { machine, machineVersion, input: event.input };
    this.note(isFirst ? { kind: 'input', ...input } : { kind: 'chart', event });
  };

  /** The chart waits for somebody in this state. */
  rest(snapshot: unknown): void {
    this.note({ kind: 'snapshot', machineVersion: this.#chart.version, snapshot });
  }

  #trouble(error: unknown): void {
    if (!this.#isTroubled) this.#options.onTrouble(error as TdctlError);
    this.#isTroubled = true;
  }

  #write(body: JournalBody, flush: boolean): void {
    if (this.#held === undefined) this.#writeNow(body, flush);
    else this.#held.push({ body: { ...momentNow(), ...body }, flush });
  }

  #writeHeld(): void {
    const held = this.#held?.splice(0) ?? [];
    for (const [at, { body }] of held.entries()) {
      // One flush has all that was written before it on the disk.
      this.#writeNow(body, at === held.length - 1 && held.some(({ flush }) => flush));
    }
  }

  #writeNow(body: JournalBody, flush: boolean): void {
    if (this.#isOver) return;
    this.#options.onRecord(this.#options.append(body, { flush }));
  }
}

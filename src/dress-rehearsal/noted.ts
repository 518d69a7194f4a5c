/** What the keepers have written of an operation, as a rehearsal notes it: steps by lane, on the clock of the machine. */
import type { StepError } from '../../machines/step-error.ts';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { JournalRecord } from '../keeper/journal/records.ts';
import type { MigrationRunEvent, TdRunEvent } from '../orchestrator/index.ts';
import { type AnyStateId, RunRecord } from '../rehearsal/index.ts';

type Told = TdRunEvent<ErrorInWords> | MigrationRunEvent<ErrorInWords>;

/** A record of a journal as a fault names it, and what its keeper was at. */
export interface NotedRecord {
  readonly state: AnyStateId | '';
  readonly isOfMove: boolean;
  /** A command waits for what comes of it. */
  readonly hasCommand: boolean;
}

/** All that one keeper has written. */
export interface NotedJournal {
  readonly td: string;
  readonly keeper: number;
  readonly lane: string;
  /** When its run began, on the clock of the machine. */
  readonly fromMs: number;
  /** So many of the records were written twice (asWritten). */
  readonly again: number;
  readonly records: NotedRecord[];
}

export class Notes {
  readonly record: RunRecord;
  readonly journals: NotedJournal[] = [];
  #atMs = 0;

  constructor() {
    this.record = new RunRecord({ now: () => this.#atMs, usedSlots: () => undefined });
  }

  /** @param fromMs when the run began whose events these are */
  events(lane: string, events: readonly Told[], fromMs: number): void {
    for (const event of events) {
      this.#atMs = fromMs + event.elapsedMs;
      // Only steps and states are noted, and they have no errors.
      this.record.note(lane, event as Parameters<RunRecord['note']>[1]);
    }
  }

  journal(of: Omit<NotedJournal, 'records'>): NotedJournal {
    const journal = { ...of, records: [] };
    this.journals.push(journal);
    return journal;
  }

  journalOf(td: string, keeper: number): NotedJournal {
    const known = this.journals.find((each) => each.td === td && each.keeper === keeper);
    if (known === undefined) throw new Error(`nothing is noted of keeper ${keeper} of ${td}`);
    return known;
  }

  endsAt(atMs: number): void {
    this.#atMs = atMs;
  }
}

export function eventsIn(records: readonly JournalRecord[]): readonly Told[] {
  return records.flatMap((record) => (record.kind === 'event' ? [record.told] : []));
}

/** What a keeper is at, record by record: the step that it begins, or the state that it has come to. */
export function statesOf(records: readonly JournalRecord[]): readonly (AnyStateId | '')[] {
  let state: AnyStateId | '' = '';
  return records.map((record) => {
    if (record.kind === 'event') state = record.told.state;
    return state;
  });
}

/**
 * A keeper that a TD has moved to writes what came before that twice: once beside the journal of the TD, and into that
 * once it is its own. So its records are counted (src/keeper/life.ts).
 *
 * @param left the records of the keeper before, whose last one comes just before.
 */
export function asWritten(
  records: readonly JournalRecord[],
  left: readonly JournalRecord[],
): readonly JournalRecord[] {
  const end = Date.parse(left.at(-1)?.at ?? '');
  const before = records.findIndex(({ at }) => Date.parse(at) > end);
  const early = records.slice(0, before === -1 ? records.length : before);
  return [...early, ...records];
}

/** As the chart of a run would have it. */
export function stepErrorOf({
  step,
  code,
  message,
  details,
  hint,
  ...answered
}: ErrorInWords): StepError {
  const { request, errno } = answered;
  if (request === undefined || errno === undefined) return { step, code, message, details, hint };
  return { step, refusal: { ...answered, request, errno } };
}

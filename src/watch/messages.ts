/** What viewers are told, as JSON. docs/watch.md is the contract. */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { RecordedEvent } from '../rehearsal/index.ts';

export type WatchMessage = ({ readonly kind: 'event' } & RecordedEvent<ErrorInWords>) | EndMessage;

/** The run is over; nothing follows. */
export interface EndMessage {
  readonly kind: 'end';
  readonly exitCode: number;
  /** One line for a person. */
  readonly text: string;
}

/** How fast the run goes. Not part of the history: only the newest counts. */
export interface Pace {
  readonly paused: boolean;
  /** Null: as fast as it can. */
  readonly stepsPerSecond: number | null;
}

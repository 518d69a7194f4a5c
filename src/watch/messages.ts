/**
 * What viewers are told and may ask, as JSON. docs/watch.md is the contract. These are types alone, because
 * the server writes what the page reads, and the other way round.
 */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { RecordedEvent } from '../rehearsal/recorded-event.ts';

export type WatchMessage = EventMessage | EndMessage;

export type EventMessage = { readonly kind: 'event' } & RecordedEvent<ErrorInWords>;

/** The run is over; nothing follows. */
export interface EndMessage {
  readonly kind: 'end';
  readonly exitCode: number;
  /** What came of the run, for a person. */
  readonly text: string;
}

/** How fast the run goes. It is no part of the history, because only the newest counts. */
export interface Pace {
  readonly paused: boolean;
  /** Null means as fast as it can. */
  readonly stepsPerSecond: number | null;
}

/** What a viewer asks of a simulated run. */
export type ControlMessage =
  | { readonly do: 'pause' | 'resume' | 'step' }
  | ({ readonly do: 'speed' } & Pick<Pace, 'stepsPerSecond'>);

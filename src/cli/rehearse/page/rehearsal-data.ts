/** What the page of a rehearsal is told. These are types alone: tdctl writes it, the browser reads it. */
export interface RehearsalData {
  /** Calls repeat much from run to run, so each text is kept once: messages hold indexes of these. */
  readonly strings: readonly string[];
  /** So many cells have the run that they stand for. */
  readonly sequences: number;
  readonly rows: readonly RowData[];
}

export interface RowData {
  readonly lane: string;
  readonly state: string;
  readonly cells: readonly CellData[];
}

export interface CellData {
  readonly kind: string;
  readonly outcome: string;
  readonly count: number;
  /** Plays the run again. */
  readonly command: string;
  readonly sequence: readonly MessageData[] | null;
}

/**
 * `ok` went well, `routine` was refused as it is without the fault too, `refused` was refused because of
 * it, and `fault` is the call that the fault was at.
 */
export type Tone = 'ok' | 'routine' | 'refused' | 'fault';

/**
 * Who called whom with what, what was answered, and what that means (a {@link Tone}), how often in a
 * row; where a loop begins, its length in messages and how often it is gone through, else 0 and 0.
 */
export type MessageData = readonly [
  from: number,
  to: number,
  text: number,
  answer: number,
  tone: number,
  times: number,
  loopLength: number,
  loopTimes: number,
];

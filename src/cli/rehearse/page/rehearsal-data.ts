/** What the page of a rehearsal is told. These are types alone: tdctl writes it, the browser reads it. */
export interface RehearsalData {
  /** Calls repeat much from run to run, so each text is kept once: messages hold indexes of these. */
  readonly strings: readonly string[];
  /** So many cells have the run that they stand for. */
  readonly sequences: number;
  /** Every run has these faults. */
  readonly always: readonly string[];
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
  readonly example: readonly string[];
  readonly sequence: readonly MessageData[] | null;
}

/**
 * Who called whom with what, what was answered, how often in a row; where a loop begins, its length in
 * messages and how often it is gone through, else 0 and 0.
 */
export type MessageData = readonly [
  from: number,
  to: number,
  text: number,
  answer: number,
  times: number,
  loopLength: number,
  loopTimes: number,
];

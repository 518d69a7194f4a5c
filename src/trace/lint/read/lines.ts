/** The lines of a trace. A call gives them once more from the start. */
export type TraceLines = () => AsyncIterable<readonly string[]>;

/** The rest of a file whose first lines have been looked at. */
export interface RestOfLines {
  readonly blocks: AsyncGenerator<readonly string[]>;
  /** Empty lines that came before. */
  readonly linesBefore: number;
}

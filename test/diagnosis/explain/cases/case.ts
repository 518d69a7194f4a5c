/** A log as somebody met it, and what tdctl has to make of it. */
export interface Case {
  /** Where it is from: a public thread or source. */
  readonly from: string;
  /** A file of test/fixtures/explain, or the lines themselves. */
  readonly log: string | readonly string[];
  /** The answers, the first one first; those that follow may be left out. */
  readonly ids: readonly string[];
  /** No answer is an accusation: all are notes or healthy, or there is none at all. */
  readonly isHealthy?: true;
}

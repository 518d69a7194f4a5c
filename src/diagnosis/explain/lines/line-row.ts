import type { Answer } from '../answer.ts';

/** A line of a log that has an answer. */
export interface LineRow {
  readonly pattern: RegExp;
  readonly answer: Answer;
  /** Says the answer with what the line holds: numbers, names. */
  readonly say?: (match: RegExpExecArray) => Partial<Omit<Answer, 'id'>>;
}

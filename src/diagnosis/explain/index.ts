/** Says what the kernel, the TDX module or a VMM meant. */
export { allAnswers } from './all-answers.ts';
export type { Answer } from './answer.ts';
export type { CheckInBook } from './check-in-book.ts';
export {
  type Diagnosis,
  type Explanation,
  explainLog,
  explainTyped,
  type NotKnown,
} from './diagnosis.ts';
export { findInLine, type LineFinding } from './log/find-in-lines.ts';
export { errnoIn } from './read/errno-words.ts';
export type { RefusalExplanation } from './requests/explain-refusal.ts';
export { moduleInitialization } from './requests/host-requests.ts';
export type { NumberedCheck } from './requests/request.ts';
export type { StatusExplanation } from './status/explain-status.ts';

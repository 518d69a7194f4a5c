/** What became of a run with faults, in a few words for a table. */
import type { Rehearsal } from './rehearse-once.ts';

export const outcomes = {
  unharmed: 'went through all the same',
  refused: 'the TD was not built, and everything was given back',
  'source kept': 'the move was taken back, and the TD runs in the source',
  'died with its owner': 'a process died, and its files with it',
  'slot lost by the module': 'the TDX module kept a key slot',
  'slot lost by the kernel': 'the kernel overwrote a key slot',
  'TD lost by the kernel': 'the move failed after the kernel had killed the source',
  'not met': 'the run never came to that call',
  violation: 'an invariant was broken',
} as const;

export type Outcome = keyof typeof outcomes;

/** What each kind of outcome says of the host and of tdctl. */
export const grades = {
  kept: 'Nothing was lost',
  lost: 'Something was lost',
  broken: 'A promise of tdctl was broken',
  unplayed: 'Not played',
} as const;

export type Grade = keyof typeof grades;

export const gradeOf: Readonly<Record<Outcome, Grade>> = {
  unharmed: 'kept',
  refused: 'kept',
  'source kept': 'kept',
  'died with its owner': 'lost',
  'slot lost by the module': 'lost',
  'slot lost by the kernel': 'lost',
  'TD lost by the kernel': 'lost',
  'not met': 'unplayed',
  violation: 'broken',
};

export function outcomeOf(rehearsal: Rehearsal): Outcome {
  const { violations, losses, results, unmet } = rehearsal;
  const lost = (what: string, by: string) =>
    losses.some((loss) => loss.what === what && loss.by === by);
  if (violations.length > 0) return 'violation';
  if (lost('TD', 'kernel')) return 'TD lost by the kernel';
  if (lost('TD', 'owner')) return 'died with its owner';
  if (lost('key slot', 'module')) return 'slot lost by the module';
  if (results.some(({ result }) => result === 'failed')) return 'refused';
  if (results.some(({ verdict }) => verdict === 'sourceKept')) return 'source kept';
  if (lost('key slot', 'kernel')) return 'slot lost by the kernel';
  return unmet.length > 0 ? 'not met' : 'unharmed';
}

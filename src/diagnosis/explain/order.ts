/** The order in which a log is told: each cause with what follows from it, then what is no trouble. */
import type { Answer } from './answer.ts';

interface Placed {
  readonly answer: Answer;
  readonly line: number;
}

/**
 * The first cause of the log first: the next may follow from it. An effect stands under the cause
 * before it, and one before all causes under the first, since programs do not log in order.
 */
export function inOrderOfWeight<Explained extends Placed>(
  explanations: readonly Explained[],
): readonly Explained[] {
  const trouble: Explained[] = [];
  const early: Explained[] = [];
  for (const explanation of explanations.toSorted((a, b) => a.line - b.line)) {
    const rank = explanation.answer.rank ?? 'cause';
    if (rank === 'effect' && trouble.length === 0) early.push(explanation);
    else if (rank === 'cause' && trouble.length === 0) trouble.push(explanation, ...early);
    else if (rank === 'cause' || rank === 'effect') trouble.push(explanation);
  }
  const rest = (rank: string) => explanations.filter(({ answer }) => answer.rank === rank);
  return [...(trouble.length === 0 ? early : trouble), ...rest('note'), ...rest('healthy')];
}

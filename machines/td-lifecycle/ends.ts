/** The ends of every chart of a TD, and what it tells then. */
import type { TdContext, TdOutcome, TdOutput } from './context.ts';

export const ends = {
  destroyed: {
    description: 'Everything was given back, as asked.',
    tags: ['ending'],
    type: 'final',
    output: 'destroyed' satisfies TdOutcome,
  },
  failed: {
    description: 'A step failed; everything was given back.',
    tags: ['ending'],
    type: 'final',
    output: 'failed' satisfies TdOutcome,
  },
  stuck: {
    description: 'Something could not be given back; the leftovers say what a person must do.',
    tags: ['ending'],
    type: 'final',
    output: 'stuck' satisfies TdOutcome,
  },
} as const;

interface Ended {
  readonly context: Pick<TdContext, 'name' | 'error' | 'leftovers'>;
  /** Of the end that was reached. */
  readonly event: { readonly output?: unknown };
}

export function tdOutput({ context: { name, error, leftovers }, event }: Ended): TdOutput {
  return { name, outcome: event.output as TdOutcome, error, leftovers };
}

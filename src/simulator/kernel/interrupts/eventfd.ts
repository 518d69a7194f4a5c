/** These steps check the eventfd that a struct names. */
import type { EventfdFact } from '../../interface.ts';
import type { CopiedIn, Steps } from '../checks.ts';

interface EventfdCall {
  readonly args: CopiedIn<{ readonly eventfd: EventfdFact }>;
}

export const eventfdSteps: Steps<EventfdCall> = {
  'eventfd.closed': ({ args }) => args.value.eventfd === 'not open',
  'eventfd.other-file': ({ args }) => args.value.eventfd === 'not an eventfd',
};

/** The id is known only once those steps have passed. */
export function eventfdId(fact: EventfdFact): number {
  if (typeof fact === 'object') return fact.id;
  throw new Error('the kernel record looks at an eventfd before it is known to be one');
}

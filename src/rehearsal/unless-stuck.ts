/** Work that may never end, which is a violation of its own. */
import { type Violation, violation } from './invariants/invariants.ts';
import { type PatienceOptions, untilStuck } from './patience.ts';

export interface UnlessStuck extends Pick<PatienceOptions, 'progress' | 'looks'> {
  /** The work, as the violation names it. */
  readonly what: string;
  /** Of each TD where it is; undefined of one that was not begun. */
  readonly states: () => readonly (readonly [td: string, state: string | undefined])[];
}

/** Given, because the reason that is there by default is an error with its stack, for each wait. */
const noLonger = 'it has ended';

/** Waits for as long as something happens. */
export async function unlessStuck<Output>(
  work: Promise<Output>,
  { what, states, ...patience }: UnlessStuck,
): Promise<Output | Violation> {
  const ended = new AbortController();
  const stuck = untilStuck({ ...patience, signal: ended.signal }).then(
    () => {
      const each = states().map(([name, state = 'absent']) => `${name}: ${state}`);
      const words = `${what} has not ended, and nothing happens any more (${each.join(', ')})`;
      return violation('every-run-ends', words);
    },
    () => violation('every-run-ends', 'not waited for'),
  );
  try {
    return await Promise.race([work, stuck]);
  } finally {
    ended.abort(noLonger);
  }
}

/** Which version two keepers speak about a move. It is agreed upon before anything is begun. */
import { TdctlError } from '../../errors/index.ts';
import { highestOfBoth, versionsInWords } from '../asking/version.ts';
import type { Greeting } from '../greeting.ts';
import type { ApiRange } from '../identity.ts';

/**
 * The highest that both speak.
 *
 * @param keeper the one that has the TD.
 * @param next what the other one speaks.
 * @throws TdctlError TDCTL_E_API_VERSION where there is none.
 */
export function commonMoveVersion(
  keeper: Pick<Greeting, 'name' | 'tdctl' | 'move'>,
  next: ApiRange,
): number {
  const { name, tdctl, move } = keeper;
  const its = `the keeper of TD ${name} (tdctl ${tdctl})`;
  if (move === undefined) {
    throw differ(`${its} hands over no TD: moves came with a later tdctl`, 'older');
  }
  const version = highestOfBoth(move, next);
  if (version !== undefined) return version;
  throw differ(
    `${its} speaks ${versionsInWords(move)} of the protocol between keepers, and the next one ${versionsInWords(next)}`,
    move.newest < next.oldest ? 'older' : 'newer',
  );
}

const hints = {
  older: 'a tdctl between the two may speak with both: name it with `--with`',
  newer: 'name a newer tdctl with `--with`',
} as const;

function differ(message: string, keeperIs: keyof typeof hints): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_API_VERSION',
    op: 'move a TD to another keeper',
    message: `${message}; the TD stays where it is`,
    hint: hints[keeperIs],
  });
}

/** Which version of the protocol two keepers speak about a move. */
import { TdctlError } from '../../errors/index.ts';
import type { Greeting } from '../greeting.ts';
import type { ApiRange } from '../identity.ts';
import { moveRange } from './protocol.ts';

/** The highest that both speak. @throws TdctlError TDCTL_E_API_VERSION where there is none. */
export function moveVersion(
  other: ApiRange,
  { name, tdctl }: Pick<Greeting, 'name' | 'tdctl'>,
): number {
  const version = Math.min(other.newest, moveRange.newest);
  if (version >= Math.max(other.oldest, moveRange.oldest)) return version;
  throw new TdctlError({
    code: 'TDCTL_E_API_VERSION',
    op: 'move a TD to another keeper',
    message: `the keeper of TD ${name} (tdctl ${tdctl}) speaks version ${moveRange.newest} of the protocol between keepers, and the other one versions ${other.oldest} to ${other.newest}`,
    hint: 'name a tdctl that speaks it with `--with`; the TD stays where it is',
  });
}

/** Which version of the API two of tdctl speak with each other. */
import { TdctlError } from '../../errors/index.ts';
import type { Greeting } from '../greeting.ts';
import type { ApiRange } from '../identity.ts';

/** The highest that both speak. @throws TdctlError TDCTL_E_API_VERSION where there is none. */
export function commonVersion(
  { name, tdctl, api }: Pick<Greeting, 'name' | 'tdctl' | 'api'>,
  speaks: ApiRange,
): number {
  const version = highestOfBoth(api, speaks);
  if (version !== undefined) return version;
  const keeperIsOld = api.newest < speaks.oldest;
  const keeper = `the keeper of TD ${name} (tdctl ${tdctl}) speaks ${versionsInWords(api)}`;
  throw new TdctlError({
    code: 'TDCTL_E_API_VERSION',
    op: 'ask the keeper of a TD',
    message: keeperIsOld
      ? `${keeper} of its API, which is too old for this tdctl, which speaks ${versionsInWords(speaks)}`
      : `${keeper} of its API, and this tdctl is too old for it: it speaks ${versionsInWords(speaks)}`,
    hint: keeperIsOld
      ? `stop it with tdctl ${tdctl} that began it, or with SIGTERM to its process, and start it again with this one`
      : `use tdctl ${tdctl} or a newer one`,
  });
}

export function highestOfBoth(one: ApiRange, other: ApiRange): number | undefined {
  const version = Math.min(one.newest, other.newest);
  return version >= Math.max(one.oldest, other.oldest) ? version : undefined;
}

export function versionsInWords({ oldest, newest }: ApiRange): string {
  return oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
}

/** Which version of the API two of tdctl speak with each other. */
import { TdctlError } from '../../errors/index.ts';
import type { Greeting } from '../greeting.ts';
import type { ApiRange } from '../identity.ts';

/** The highest that both speak. @throws TdctlError TDCTL_E_API_VERSION where there is none. */
export function commonVersion(
  { name, tdctl, api }: Pick<Greeting, 'name' | 'tdctl' | 'api'>,
  speaks: ApiRange,
): number {
  const version = Math.min(api.newest, speaks.newest);
  if (version >= Math.max(api.oldest, speaks.oldest)) return version;
  const keeperIsOld = api.newest < speaks.oldest;
  const keeper = `the keeper of TD ${name} (tdctl ${tdctl}) speaks ${versions(api)}`;
  throw new TdctlError({
    code: 'TDCTL_E_API_VERSION',
    op: 'ask the keeper of a TD',
    message: keeperIsOld
      ? `${keeper} of its API, which is too old for this tdctl, which speaks ${versions(speaks)}`
      : `${keeper} of its API, and this tdctl is too old for it: it speaks ${versions(speaks)}`,
    hint: keeperIsOld
      ? `stop it with tdctl ${tdctl} that began it, or with SIGTERM to its process, and start it again with this one`
      : `use tdctl ${tdctl} or a newer one`,
  });
}

function versions({ oldest, newest }: ApiRange): string {
  return oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
}

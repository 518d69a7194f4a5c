/** `tdctl doctor --host on:NAME`: the files by which a shared host says what it is. */
import { TdctlError } from '../../errors/index.ts';
import { sharedHostName } from '../../host/identity.ts';
import { findHost, operateHost } from '../shared-host/reach.ts';

/** @returns the directory that has them. @throws TdctlError also where nobody serves the host. */
export async function doctoredHost(host: string, env: NodeJS.ProcessEnv): Promise<string> {
  const name = sharedHostName(host);
  if (name === undefined) throw notShared(host);
  const operator = await operateHost(name, env);
  operator.close();
  return (await findHost(name, env)).files.facts;
}

function notShared(host: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a host',
    place: '--host',
    message: `doctor looks at this machine, at copies (--root) or at a shared host, and \`${host}\` is none`,
    hint: 'use on:NAME, as `tdctl host list` has them; a simulated host of one command has no files',
  });
}

/** `tdctl doctor --host on:NAME`: the files by which a shared host says what it is. */
import { TdctlError } from '../../errors/index.ts';
import { findHost, isShared, operateHost, sharedName } from '../shared-host/reach.ts';

/** @returns the directory that has them. @throws TdctlError also where nobody serves the host. */
export async function doctoredHost(host: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (!isShared(host)) throw notShared(host);
  const name = sharedName(host);
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

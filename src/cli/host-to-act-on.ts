/** The host of a command that acts. It is the one that was asked for, and never a simulated one instead. */

import { shellWord } from '../documents/shell-word.ts';
import { TdctlError } from '../errors/index.ts';
import type { Host } from '../host/port.ts';
import type { CommandIo } from './io.ts';
import { type HostChoice, openHost } from './open-host.ts';

/**
 * @param typed the command line, which is repeated with a host that simulates
 * @throws TdctlError TDCTL_E_HOST_UNSUPPORTED where no host was named and this machine has no TDX.
 */
export async function openHostToActOn(
  choice: HostChoice,
  { typed, io }: { readonly typed: readonly string[]; readonly io: CommandIo },
): Promise<Host> {
  if (choice.host !== 'auto') return openHost(choice, io);
  try {
    return await openHost({ ...choice, host: 'kvm' }, io);
  } catch (error) {
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_UNSUPPORTED') throw error;
    throw notUnasked(error, typed);
  }
}

function notUnasked(
  { code, op, message, details, cause }: TdctlError,
  typed: readonly string[],
): TdctlError {
  return new TdctlError({
    code,
    op,
    message,
    details: [
      ...details,
      'nothing was simulated instead, as no host was named. To simulate it:',
      onHost(typed, 'sim'),
      'or, with real VMs and vCPUs and a simulated TDX module, where there is /dev/kvm:',
      onHost(typed, 'soft'),
    ],
    hint: '`tdctl doctor` says what keeps this machine from running TDs, and how to fix it',
    cause,
  });
}

/** The command comes first; what follows `--` is not for options any more. */
function onHost(typed: readonly string[], host: 'sim' | 'soft'): string {
  const [command = '', ...rest] = typed;
  const others = rest.filter(
    (word, at) =>
      word !== '--host=auto' &&
      !(word === '--host' && rest[at + 1] === 'auto') &&
      !(word === 'auto' && rest[at - 1] === '--host'),
  );
  return ['tdctl', command, '--host', host, ...others.map(shellWord)].join(' ');
}

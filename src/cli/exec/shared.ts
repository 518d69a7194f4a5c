/** Which shared host a command is to run on, and what is that host's to say and not the command's. */
import { TdctlError } from '../../errors/index.ts';
import { sharedHostName } from '../../host/identity.ts';

/** What each of these is called by on a shared host. */
const ofTheHost = {
  host: 'the machine is what `tdctl host start NAME --host …` has made it',
  kernel: 'the kernel is what `tdctl host start NAME --kernel …` has made it',
  fault: 'faults are for all that are on it: `tdctl host fault NAME …`',
} as const;

export interface SharedOptions {
  readonly on?: string | undefined;
  readonly host: string;
}

/**
 * @param isGiven whether the option of that name is on the command line.
 * @returns undefined where the command gets a machine of its own.
 * @throws TdctlError TDCTL_E_USAGE
 */
export function sharedHostNamed(
  { on, host }: SharedOptions,
  isGiven: (option: string) => boolean,
): string | undefined {
  const name = on ?? sharedHostName(host);
  if (name === undefined) return undefined;
  for (const [option, reason] of Object.entries(ofTheHost)) {
    if (!isGiven(option) || (option === 'host' && on === undefined)) continue;
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'run a command on a shared host',
      place: `--${option}`,
      message: `the command joins the shared host ${name}, which is there already: ${reason}`,
      hint: `leave out --${option}, or leave out --on to get a machine of its own`,
    });
  }
  return name;
}

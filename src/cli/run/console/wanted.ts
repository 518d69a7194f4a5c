/** Where the guest's console shall go: what the command line and the TrustDomain file say together. */
import { TdctlError } from '../../../errors/index.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import { uselessOption } from '../../useful-options.ts';
import type { RunOptions } from '../options.ts';

export interface WantedConsole {
  /** The terminal, or the pipes in its place. */
  readonly attaches: boolean;
  readonly files: readonly string[];
  readonly socket: string | undefined;
}

interface Asked extends Pick<RunOptions, 'console' | 'consoleLog' | 'until' | 'output' | 'spec'> {
  /** Whether instructions of a guest are executed on the host. */
  readonly runsGuests: boolean;
}

/** @throws TdctlError TDCTL_E_USAGE for an option that changes nothing, or two of them that cannot be had at once. */
export function wantedConsole(asked: Asked, spec: TrustDomain): WantedConsole {
  if (!asked.runsGuests) refuseOptions(asked);
  // Nobody prints anything before the guest runs.
  if (asked.until === 'runnable' || !asked.runsGuests) {
    return { attaches: false, files: [], socket: undefined };
  }
  const place = spec.console;
  const attaches = asked.console === true || place?.kind === 'stdio';
  if (attaches) refuseOtherUse(asked, spec);
  return {
    attaches,
    files: [
      ...(asked.consoleLog === undefined ? [] : [asked.consoleLog]),
      ...(place?.kind === 'file' ? [place.path] : []),
    ],
    socket: place?.kind === 'socket' ? place.path : undefined,
  };
}

function refuseOtherUse({ console, output, spec: path }: Asked, spec: TrustDomain): void {
  const place = console === true ? '--console' : `${spec.source.path}: spec.console`;
  const refused = (message: string, hint: string) =>
    new TdctlError({ code: 'TDCTL_E_USAGE', op: 'attach the console', place, message, hint });
  if (output !== 'text') {
    throw refused(
      `the console takes standard output, where \`-o ${output}\` prints events`,
      'leave -o out, or keep what the guest prints in a file: --console-log FILE, or `console: { file: … }`',
    );
  }
  if (spec.console?.kind === 'socket') {
    throw refused(
      `the console of ${spec.source.path} is a socket, and two that type at one serial port would disturb each other`,
      'leave --console out and attach to the socket, or take `spec.console` out of the file',
    );
  }
  if (path === '-') {
    throw refused(
      'the console takes standard input, and the TrustDomain file is read from there',
      'name the TrustDomain file by its path',
    );
  }
}

function refuseOptions({ console, consoleLog }: Asked): void {
  const log = consoleLog === undefined ? undefined : '--console-log';
  const option = console === true ? '--console' : log;
  if (option === undefined) return;
  throw uselessOption(
    option,
    'on a sim host no instruction of the guest is executed; `--host soft` runs it',
  );
}

/** `tdctl man` shows a page by the man of this machine, or as help where there is none. */
import { spawnSync } from 'node:child_process';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { TdctlError } from '../errors/index.ts';
import type { CommandIo } from './io.ts';
import { manPage } from './man-page.ts';
import { version } from './version.ts';

interface Asked {
  readonly path: readonly string[];
  readonly root: CommandUnknownOpts;
}

/** @throws TdctlError TDCTL_E_USAGE for a command that there is not. */
export function showManual({ path, root }: Asked, io: CommandIo): void {
  const command = path.reduce((parent, word) => subcommand(parent, word, path), root);
  const page = manPage({ path, command, version: version() });
  if (io.widths.stdout === undefined) io.stdout.write(page);
  else if (!shownByMan(page)) command.outputHelp();
}

function subcommand(
  parent: CommandUnknownOpts,
  word: string,
  path: readonly string[],
): CommandUnknownOpts {
  const found = parent.commands.find((command) => command.name() === word);
  if (found !== undefined) return found;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'show a man page',
    message: `there is no command \`${path.join(' ')}\``,
    hint: `there is: ${parent.commands.map((command) => command.name()).join(', ') || 'none below this one'}`,
  });
}

function shownByMan(page: string): boolean {
  const { error, status } = spawnSync('man', ['-l', '-'], {
    input: page,
    stdio: ['pipe', 'inherit', 'ignore'],
  });
  return error === undefined && status === 0;
}

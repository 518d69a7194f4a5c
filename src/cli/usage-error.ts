/** What is wrong with a command line, as the same data that every other error is (docs/errors.md). */
import type { CommanderError } from '@commander-js/extra-typings';
import { TdctlError } from '../errors/index.ts';
import { type OutputFormat, outputFormats } from './options.ts';
import { sanitize } from './output/sanitize.ts';

/**
 * The format in which errors are shown: also those before commander has read the options, or whose mistake
 * stands before the option. The last one counts, as for commander; after `--` come the words of another program.
 */
export function askedFormat(args: readonly string[]): OutputFormat {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  const asked = own.flatMap((arg, index) => {
    const [, value] = /^(?:--output=|-o)(.+)$/s.exec(arg) ?? [];
    const named = arg === '-o' || arg === '--output' ? own[index + 1] : value;
    return named === undefined ? [] : [named];
  });
  return outputFormats.find((format) => format === asked.at(-1)) ?? 'text';
}

/** @param error as commander ends a command: its message may have a suggestion or a hint on further lines. */
export function usageError({ message, code }: CommanderError): TdctlError {
  const [first = '', ...rest] = message.trim().split('\n').map(sanitize);
  // Without a subcommand commander shows the help, and its message names no mistake.
  const isHelp = code === 'commander.help';
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read the command line',
    place: /'(-[^' ]+)/.exec(first)?.[1],
    message: isHelp ? 'a command is missing' : first.replace(/^error: /, ''),
    hint: hintIn(rest) ?? '--help shows what there is',
  });
}

function hintIn(lines: readonly string[]): string | undefined {
  const hint = lines.join(' ').trim();
  if (hint === '') return undefined;
  const meant = /^\(Did you mean (.*)\?\)$/.exec(hint)?.[1];
  return meant === undefined ? hint.replace(/^hint: /, '') : `did you mean ${meant}?`;
}

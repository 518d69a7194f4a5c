/**
 * What is wrong with a command line: as text, and as the same data that every other error is (docs/errors.md).
 * Commander has found it; no command that is typed right loads this.
 */
import type { CommanderError } from '@commander-js/extra-typings';
import { TdctlError } from '../errors/index.ts';
import type { Asked } from './habits.ts';
import { sanitize } from './output/sanitize.ts';
import { withAnswer } from './understand.ts';

/** What commander says: of a mistake in the words of a command, or beside that, as help. */
export interface Said {
  readonly text: string;
  /** The command in whose words the mistake is. */
  readonly command?: Asked;
}

export function usageText(said: readonly Said[]): string {
  return said
    .map(({ text, command }) =>
      command === undefined ? text : sanitizedMistake(withAnswer(text, command)),
    )
    .join('');
}

/**
 * Commander quotes what was typed. The line ends of its own are the last, and the one before a suggestion; ours is the
 * one before an answer.
 */
function sanitizedMistake(text: string): string {
  return text
    .replace(/'.*'/s, sanitize)
    .split(/(\n(?:$|(?=\(Did you mean |hint: )))/)
    .map((part) => (part.startsWith('\n') ? part : sanitize(part)))
    .join('');
}

/** @param error as commander ends a command: its message may have a suggestion or a hint on further lines. */
export function usageError({ message, code }: CommanderError, said: readonly Said[]): TdctlError {
  const mistake = said.flatMap(({ text, command }) => (command ? [withAnswer(text, command)] : []));
  const [first = '', ...rest] = (mistake[0] ?? message).trim().split('\n').map(sanitize);
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

/** What was typed, as this command line has it: words of habit are understood, or answered. */
import { dnsLabelProblem } from '../documents/name.ts';
import { editDistance } from '../documents/nearest.ts';
import { TdctlError } from '../errors/index.ts';
import { type Asked, answerToOption, answerToWord, understoodWords } from './habits.ts';
import { tdArgument } from './kept/options.ts';

/**
 * @param commands the names of all commands there are.
 * @returns the arguments with the words of tdctl.
 * @throws TdctlError TDCTL_E_USAGE for a first word that is no command, with what to type instead.
 */
export function understand(args: readonly string[], commands: readonly string[]): string[] {
  const [word, ...rest] = args;
  if (word === undefined || commands.includes(word)) return [...args];
  const meant = Object.hasOwn(understoodWords, word) ? understoodWords[word] : undefined;
  if (meant !== undefined) return [...meant, ...rest];
  if (word.startsWith('-')) return [...args];
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose a command',
    message: `there is no command \`${word}\``,
    hint: answerToWord(word) ?? nearMiss(word, commands),
  });
}

/** A word that merely resembles a command must not be taken for it: `list` is not `fit`. */
function nearMiss(word: string, commands: readonly string[]): string {
  const far = word.length > 4 ? 2 : 1;
  const near = commands.filter(
    (command) =>
      (word.length > 2 && command.startsWith(word)) ||
      (word.length <= 16 && editDistance(word, command) <= far),
  );
  const all = '`tdctl --help` lists the commands';
  return near.length === 0
    ? all
    : `did you mean ${near.map((name) => `\`${name}\``).join(' or ')}?`;
}

/** Adds to commander's message of an unknown option what to type instead; a likeness would mislead then. */
export function withAnswer(text: string, command: Asked): string {
  const flag = /^error: unknown option '(-[^']*)'/.exec(text)?.[1];
  const answer =
    flag === undefined ? undefined : (answerToOption(flag, command) ?? noName(text, command));
  return answer === undefined ? text : `error: unknown option '${flag}'\nhint: ${answer}\n`;
}

/** Whatever begins with a dash is taken for an option, so the name of a TD that is meant by it is told here. */
function noName(text: string, { registeredArguments }: Asked): string | undefined {
  const takesNames = registeredArguments.some((declared) => declared.name() === tdArgument);
  return takesNames && !text.includes('(Did you mean ')
    ? `--help shows the options there are; the name of a TD ${dnsLabelProblem}`
    : undefined;
}

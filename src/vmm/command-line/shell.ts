/** A command as a person can type it, with the files opened by the shell. */
import { shellWord } from '../../documents/shell-word.ts';
import type { ProgramAccess } from '../../files/index.ts';
import type { VmmFile } from './command.ts';
import type { CommandPart } from './command-of.ts';

const redirections: Readonly<Record<ProgramAccess, string>> = {
  read: '<',
  readWrite: '<>',
  append: '>>',
};

/** One line an option. bash alone takes fds above 9. */
export function shellText(
  program: string,
  { parts, files }: { readonly parts: readonly CommandPart[]; readonly files: readonly VmmFile[] },
): string {
  const lines = [
    shellWord(program),
    ...parts.flatMap(({ words }) => optionLines(words)),
    ...files.map(({ fd, path, access }) => `${fd}${redirections[access]}${shellWord(path)}`),
  ];
  return lines.join(' \\\n  ');
}

/** An option and its value stand together. */
function optionLines(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    const isOption = last === undefined || word.startsWith('-');
    if (isOption) lines.push(shellWord(word));
    else lines[lines.length - 1] = `${last} ${shellWord(word)}`;
  }
  return lines;
}

/** A command as a person can type it, with the files opened by the shell. */
import { shellWord } from '../../documents/shell-word.ts';
import type { VmmAccess, VmmFile } from './command.ts';
import type { CommandPart } from './command-of.ts';

const redirections: Readonly<Record<VmmAccess, string>> = {
  read: '<',
  readWrite: '<>',
  append: '>>',
};

/** One line a part. bash alone takes fds above 9. */
export function shellText(
  program: string,
  { parts, files }: { readonly parts: readonly CommandPart[]; readonly files: readonly VmmFile[] },
): string {
  const lines = [
    shellWord(program),
    ...parts.map(({ words }) => words.map(shellWord).join(' ')),
    ...files.map(({ fd, path, access }) => `${fd}${redirections[access]}${shellWord(path)}`),
  ];
  return lines.join(' \\\n  ');
}

import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';

export function manCommand(io: CommandIo, wholeTree: () => Promise<CommandUnknownOpts>) {
  return new Command('man')
    .summary('show the man page of a command')
    .description(
      'Shows the man page of tdctl or of one of its commands. Into a pipe or a file it prints the ' +
        'source of the page, for man, groff or mandoc.',
    )
    .addArgument(new Argument('[command...]', 'which command, such as `trace lint`'))
    .addHelpText(
      'after',
      `
Examples:
  tdctl man run
  tdctl man trace lint | man -l -
  tdctl man > ~/.local/share/man/man1/tdctl.1   man finds it there

Exit codes: 0 shown · 2 no such command`,
    )
    .action(async (path) => {
      const { showManual } = await import('../show-manual.ts');
      showManual({ path, root: await wholeTree() }, io);
    });
}

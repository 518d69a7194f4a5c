import { Command, Option } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { nameArgument } from '../kept/options.ts';

export function logsCommand(io: CommandIo) {
  return new Command('logs')
    .summary('show what the guest of a kept TD has printed')
    .description(
      'Shows what the guest has printed on its serial port. A pipe gets the bytes as they are; on a terminal nothing in ' +
        'them is an instruction to it. On a sim host no guest runs, and so none prints.',
    )
    .addArgument(nameArgument())
    .option('-f, --follow', 'go on with what it prints, until the TD is over or Ctrl-C')
    .addOption(
      new Option('--previous', 'what was printed in the life before').conflicts([
        'follow',
        'keeper',
      ]),
    )
    .option('--keeper', "what the TD's keeper has said, and not the guest")
    .addHelpText(
      'after',
      `
Examples:
  tdctl logs hello
  tdctl logs -f hello
  tdctl logs hello --previous

Exit codes: 0 shown · 1 not readable · 2 usage · 3 no such TD, or it had no life before`,
    )
    .action(async (name, options) => {
      const { showLogs } = await import('../kept/logs.ts');
      await showLogs(name, options, io);
    });
}

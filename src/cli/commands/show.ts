import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { keptOutputOption, nameArgument } from '../kept/options.ts';

export function showCommand(io: CommandIo) {
  return new Command('show')
    .summary('show all that is known of a kept TD')
    .description(
      'Shows a kept TD: its state and since when, host, memory, measurement, who keeps it, why it failed, and what was ' +
        'concluded of a keeper that is gone, with what to do.',
    )
    .addArgument(nameArgument())
    .option('--ask', 'ask its keeper, and give it a quarter of a second')
    .addOption(keptOutputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl show hello
  tdctl show hello -o json | jq -r .mrtd

Exit codes: 0 shown · 2 usage · 3 no such TD`,
    )
    .action(async (name, options) => {
      const { showTd } = await import('../kept/show.ts');
      await showTd(name, options, io);
    });
}

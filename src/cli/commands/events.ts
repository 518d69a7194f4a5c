import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { allOption, namesArgument, selectorOption } from '../kept/options.ts';
import { outputOption } from '../options.ts';

export function eventsCommand(io: CommandIo) {
  return new Command('events')
    .summary('show what has happened to kept TDs, and what happens')
    .description(
      'Shows what the journals of TDs tell: who asked for what, each state and step, and how it ended. Each record has a ' +
        'number, which goes on over all lives of a TD.',
    )
    .addArgument(namesArgument())
    .addOption(selectorOption())
    .addOption(allOption())
    .option('-f, --follow', 'go on until those that are named are over, or Ctrl-C')
    .option(
      '--since <number-or-time>',
      'what came after the record of this number, or in this time until now: 10min',
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl events hello
  tdctl events --all -f
  tdctl events hello --since 10min
  tdctl events hello -f --since 42 -o json

Exit codes: 0 shown · 1 not readable · 2 usage · 3 no such TD`,
    )
    .action(async (names, options) => {
      const { showEvents } = await import('../kept/events.ts');
      await showEvents(names, options, io);
    });
}

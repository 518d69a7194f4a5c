import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { nameArgument, withOption } from '../kept/options.ts';
import { outputOption } from '../options.ts';

export function migrateCommand(io: CommandIo) {
  return new Command('migrate')
    .summary('move a kept TD to another keeper on the same host')
    .description(
      'Moves a TD from the process that keeps it to a new one, on the same host, without copying its memory. It is ' +
        'not stopped: no vCPU runs for a moment, which is told. Up to the move itself everything can be taken back, ' +
        'and the TD stays with its keeper. Who is attached to its console, or follows its events, stays so.',
    )
    .addArgument(nameArgument())
    .addOption(withOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl migrate hello
  tdctl migrate hello --with /opt/tdctl-0.3.0

Exit codes: 0 moved · 1 the TD is lost, or is moved and not as it was · 2 usage · 3 no such TD ·
            4 it cannot leave as it stands, or a keeper speaks another version · 7 there is no room for it ·
            8 the kernel moves no TDs · 130 interrupted, and the move goes on`,
    )
    .action(async (name, options) => {
      const { migrate } = await import('../kept/move/migrate.ts');
      await migrate(name, options, io);
    });
}

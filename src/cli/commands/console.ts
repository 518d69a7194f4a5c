import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { nameArgument } from '../kept/options.ts';

export function consoleCommand(io: CommandIo) {
  return new Command('console')
    .summary('attach this terminal to the serial port of a kept TD')
    .description(
      "Attaches this terminal to the guest's serial port: what it prints from now on is shown, and what is typed goes to " +
        'it. ^] leaves it, and the guest runs on. In a pipe all bytes pass. It ends with the guest, and says how that ' +
        'ended. `tdctl logs` shows what was printed before.',
    )
    .addArgument(nameArgument())
    .addHelpText(
      'after',
      `
Examples:
  tdctl console hello
  printf 'q' | tdctl console hello > session.txt

Exit codes: 0 left, or the guest has ended · 1 its keeper does not answer · 2 usage · 3 no such TD · 4 it is over`,
    )
    .action(async (name) => {
      const { attachConsole } = await import('../kept/console.ts');
      await attachConsole(name, io);
    });
}

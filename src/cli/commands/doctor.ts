import { Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { hostName, inputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';

/** @param endWith takes 6 where a check failed or too little could be read to tell. */
export function doctorCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('doctor')
    .summary('say what keeps this machine from running TDs, and how to fix it')
    .description(
      'Checks this machine from the CPU up to the quote service, and names the first ' +
        'thing that is wrong. It only reads, needs no root, and says what it could not ' +
        'read for lack of it.',
    )
    .addOption(
      inputFile(
        new Option(
          '--root <dir>',
          'judge copies of a host: a directory, or a `host capture` file (- is standard input)',
        ),
      ),
    )
    .addOption(
      hostName(new Option('--host <host>', 'judge a shared host: on:NAME').conflicts('root')),
    )
    .addOption(
      new Option('--explain <id>', 'print the long text of one check').conflicts([
        'root',
        'host',
        'all',
      ]),
    )
    .option('--all', 'show what was skipped, and the title of every check')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl doctor
  sudo tdctl doctor                     more can be read: kernel log, MSRs
  tdctl doctor --explain bios.key-split
  tdctl doctor --root ./from-customer   layout: docs/doctor.md
  tdctl doctor --host on:lab            a shared host, as programs on it find it
  tdctl doctor -o json | jq -r .firstCause

Exit codes: 0 TDs can run here · 6 they cannot, or it cannot be told · 3 DIR does not exist`,
    )
    .action(async (options) => {
      const { runDoctor } = await import('../doctor/run-doctor.ts');
      endWith(await runDoctor(options, io));
    });
}

import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { inputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption, simulatedKernelOption } from '../options.ts';
import { usefulWith } from '../useful-options.ts';

/** @param endWith takes 6 when no host can take the TD. */
export function fitCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('fit')
    .summary('which of many hosts can take a TD, and why the others cannot')
    .description(
      'Judges a TrustDomain file against hosts that are not there: captures (`tdctl host capture`), ' +
        'SimulatedHost files, profiles. Says of each whether it can start the TD, and every reason ' +
        'why not; with --from, which could take it from the host it runs on.',
    )
    .addArgument(
      inputFile(
        new Argument('<spec>', 'TrustDomain file, or a Fleet file whose groups name such files'),
      ),
    )
    .addOption(
      inputFile(
        new Option(
          '--hosts <hosts...>',
          'host files, directories of them (*.json, *.yaml, *.yml), or sim:PROFILE',
        ).makeOptionMandatory(),
      ),
    )
    .addOption(
      inputFile(new Option('--from <host>', 'the host that the TD runs on: a file or sim:PROFILE')),
    )
    .option('--count <n>', 'so many of these TDs at once; says how long they take, too')
    .addOption(
      usefulWith({ has: ({ output }) => output === 'text', only: 'for `--output text`' })(
        new Option(
          '--limit <n>',
          'hosts listed of each kind, as text; all are judged and counted',
        ).default('20'),
      ),
    )
    .addOption(simulatedKernelOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl fit td.yaml --hosts captures/
  tdctl fit td.yaml --hosts captures/ --count 100
  tdctl fit td.yaml --hosts captures/ --from captures/node1.json
  tdctl fit td.yaml --hosts sim:spr-1.5 sim:gnr-2.0 -o json | jq -r '.hosts[] | select(.verdict == "fits").host.name'

Exit codes: 0 at least one host can take it · 6 none can · 5 spec invalid ·
            1, 3 no host file could be read. Files that cannot be read are named; the others count`,
    )
    .action(async (spec, options, command) => {
      const namesKernel = command.getOptionValueSource('kernel') === 'cli';
      const { showFit } = await import('../fit/show-fit.ts');
      endWith(await showFit({ spec, ...options, namesKernel }, io));
    });
}

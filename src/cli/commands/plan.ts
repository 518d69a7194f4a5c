import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { forceOption, hostOption, kernelOption, outputOption } from '../options.ts';
import { typedWords } from '../typed-words.ts';

/** @param endWith takes 6 or 7 when there are findings. */
export function planCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('plan')
    .summary('say what a TD would need, and what will not work, before the first ioctl')
    .description(
      'Says what `tdctl run` would do on a host: which limit binds, what the kernel and the TDX ' +
        'module would refuse and which field causes it, the requests step by step, the MRTD, and ' +
        'what it costs in memory. Takes no key slot.',
    )
    .addArgument(inputFile(new Argument('<spec>', 'TrustDomain file (`tdctl init` writes one)')))
    .addOption(hostOption())
    .addOption(kernelOption())
    .addOption(
      outputFile(
        new Option(
          '--save <file>',
          'write the plan; `tdctl run --plan FILE` then runs exactly that',
        ),
      ),
    )
    .addOption(forceOption({ has: ({ save }) => save !== undefined, only: 'for --save' }))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl plan td.yaml --host sim:gnr-2.0             on a larger host than this one
  tdctl plan td.yaml -o json | jq .findings         for machines
  tdctl plan td.yaml --host sim --save td.plan && tdctl run --plan td.plan

Exit codes: 0 nothing stands against it · 5 file invalid · 6 findings · 7 a limit of the host ·
            8 the QEMU that the file names cannot run a TD`,
    )
    .action(async (spec, options, command) => {
      const { showPlan } = await import('../plan/show-plan.ts');
      endWith(await showPlan({ spec, ...options, typed: typedWords(command) }, io));
    });
}

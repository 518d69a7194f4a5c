import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';

export function kernelsCommand(io: CommandIo) {
  return new Command('kernels')
    .summary('show the kernel ABIs that a simulated host can follow')
    .description(
      'Shows whose KVM rules `--kernel` can choose on a simulated host: released kernels, ' +
        'patch series, and what was proposed for the number of vCPUs of a TD and for moving ' +
        'TDs. Without NAME one line each, with NAME its rules, what it checks otherwise ' +
        'than the default, its source, and what no source confirms.',
    )
    .argument('[name...]', 'kernel ABIs to show in full')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl kernels
  tdctl kernels upstream-6.16 rfc-migration-v2
  tdctl kernels -o json | jq -r '.kernels[] | [.kernel.id, .rules."vcpus.capability"] | @tsv'`,
    )
    .action(async (names, options) => {
      const { showKernels } = await import('../show-kernels.ts');
      await showKernels(names, options, io);
    });
}

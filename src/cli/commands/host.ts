import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { hostOption, kernelOption, outputOption } from '../options.ts';

export function hostCommand(io: CommandIo) {
  return new Command('host')
    .summary('show what a host is: vCPU limits, key slots, versions')
    .description(
      'Shows what TDs can be had on a host: the four numbers that bound the vCPUs of a TD and the\n' +
        'one that binds, how many key slots there are and are left, and whose rules apply.\n' +
        'Only reads; on kvm and soft it makes one VM for a moment to read its own limit.',
    )
    .addOption(hostOption())
    .addOption(kernelOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl host                     this machine, or the simulated host where it has no TDX
  tdctl host --host sim:gnr-2.0  a simulated one
  tdctl host -o json | jq .vcpuLimits.effective`,
    )
    .action(async (options) => {
      const { showHost } = await import('../show-host.ts');
      await showHost(options, io);
    });
}

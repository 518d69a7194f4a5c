import { Command, Option } from '@commander-js/extra-typings';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';

export function footprintCommand(io: CommandIo) {
  return new Command('footprint')
    .summary('what VMs cost a host for their number of vCPUs, under each design of KVM')
    .description(
      'Puts side by side what a host spends, a VM and a fleet, on what grows with the number of ' +
        'vCPUs: kvm->vcpus under each design that was argued about, the PID-pointer table with and ' +
        'without KVM_CAP_MAX_VCPU_ID, a global limit against one for each VM, and the control pages ' +
        'of TDs by release of the TDX module. What is an estimate says so.',
    )
    .option('--vcpus <n>', 'vCPUs of a VM that run')
    .option('--max-vcpus <n>', 'the most it will ever have, or `unbounded` (default: --vcpus)')
    .option('--max-vcpu-id <id>', 'the largest vCPU id it may get (default: --max-vcpus less 1)')
    .option('--vms <n>', 'how many such VMs (default: 1)')
    .option('--type <type>', 'plain or td (default: both, side by side)')
    .option('--kvm-max-vcpus <n>', 'KVM_MAX_VCPUS of the kernel (default: 1024)')
    .option('--host-memory <size>', 'show what page metadata (PAMT) takes of such a host')
    .option('--td-memory <size>', 'how much of it TDs use (default: 0)')
    .addOption(
      inputFile(
        new Option('--fleet <file>', 'Fleet file: VMs of several kinds (docs/footprint.md)'),
      ),
    )
    .addOption(
      outputFile(new Option('--chart <file>', 'write an SVG chart of bytes against the limit')),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl footprint --vcpus 4 --max-vcpus 8 --vms 400    many small VMs
  tdctl footprint --vcpus 16 --max-vcpus unbounded     vCPUs on demand
  tdctl footprint --fleet examples/fleets/mixed.yaml --chart fleet.svg
  tdctl footprint --vcpus 8 --type td --host-memory 1TiB --td-memory 256GiB
                                                       what dynamic PAMT saves

Exit codes: 0 done · 2 an option is wrong · 3 no such file · 5 fleet file invalid`,
    )
    .action(async (options) => {
      const { showFootprint } = await import('../footprint/show-footprint.ts');
      await showFootprint(options, io);
    });
}

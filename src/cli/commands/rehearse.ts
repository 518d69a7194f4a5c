import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { faultChoices } from '../../rehearsal/faults/choice.ts';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import {
  countOption,
  destinationVcpusOption,
  hopsOption,
  rehearsedHostOption,
  rehearsedKernelOption,
  repeatableFault,
  slotsLeftOption,
  uncheckedOption,
} from '../options.ts';
import { rehearsalFormats } from '../rehearse/formats.ts';

const explanation = `
What is played without options: the TD is built, entered, moved once, and taken down. A kernel that moves
no TDs, as the default one, refuses the move (exit 8): choose another one by --kernel, or \`--hops 0\`.
tdctl rehearses on \`--host sim\` unless told otherwise.

Examples:
  tdctl rehearse td.yaml --kernel rfc-migration-v2                a migration, step by step
  tdctl rehearse td.yaml --kernel rfc-migration-v2 --faults each  a fault at every ioctl and SEAMCALL
  tdctl rehearse td.yaml --host soft --kernel rfc-migration-v2    with guests that run, on /dev/kvm
  tdctl rehearse td.yaml --kernel series-v9 --slots-left 1        a host with no key slot to spare
  tdctl rehearse td.yaml --compare all                            the same under every kernel ABI
  tdctl rehearse td.yaml --kernel rfc-migration-v2 --fault KVM_ENABLE_CAP#6=source-dies
  tdctl rehearse td.yaml --kernel rfc-migration-v2 --processes    with keepers that are processes
  tdctl rehearse td.yaml --kernel rfc-migration-v2 --processes --faults each
  tdctl rehearse upgrade.yaml -o junit > rehearsal.xml            a scenario of your own, in CI
  tdctl rehearse fleet.yaml -o junit > rehearsal.xml              many TDs, under several kernels

Exit codes: 0 held · 1 a TD was lost, or an invariant broken · 2 usage · 4 the TD cannot move ·
            5 file invalid · 6 not as the file expects · 7 a limit of the host is reached ·
            8 the kernel moves no TDs · 130 interrupted (what was found is printed)`;

/** @param endWith takes 6 where the run was not what the file expects. */
export function rehearseCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('rehearse')
    .summary('play a TD and its migration, with every fault, before it is real')
    .description(
      'Plays TDs, their moves to other VMs on the same host, and what can go wrong on the way, and ' +
        'says what is lost and by whom. Times are simulated; with `--host soft` guests run, and times are real.',
    )
    .addArgument(
      inputFile(
        new Argument('<file>', 'TrustDomain file, or a Rehearsal file with operations of its own'),
      ),
    )
    .addOption(rehearsedHostOption())
    .addOption(rehearsedKernelOption())
    .addOption(hopsOption())
    .addOption(countOption())
    .addOption(slotsLeftOption())
    .addOption(uncheckedOption())
    .addOption(destinationVcpusOption())
    .option('--processes', 'with keepers, each a process of its own, on a shared host for this run')
    .addOption(
      new Option(
        '--compare <kernels>',
        'play it under these kernel ABIs, comma-separated, or all',
      ).conflicts(['faults', 'fault', 'kernel', 'proofs', 'seed', 'runs', 'processes']),
    )
    .addOption(
      new Option(
        '--faults <which>',
        'one at a time (`every` repeats equal calls for each page), every two, or by chance',
      ).choices(faultChoices),
    )
    .option('--seed <n>', 'seed of `--faults random`; equal seeds play equal faults (default: 1)')
    .option('--runs <n>', 'runs of `--faults random` (default: 1000, with --processes 50)')
    .addOption(
      repeatableFault('a fault in every run, as for `tdctl run`; also WHO-dies; repeatable'),
    )
    .option('--proofs', 'also prove that every step can be repeated, fail and be undone twice')
    .addOption(
      outputFile(new Option('--html <file>', 'write the report as one page that needs no network')),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(rehearsalFormats)
        .default('text' as const),
    )
    .addHelpText('after', explanation)
    .action(async (file, options) => {
      const { rehearse } = await import('../rehearse/rehearse.ts');
      endWith(await rehearse({ file, ...options }, io));
    });
}

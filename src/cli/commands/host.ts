import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { forceForFile, hostOption, kernelOption, outputOption } from '../options.ts';
import { sharedHostCommands } from './shared-host.ts';

/** @param endWith takes 6 where two hosts differ, and where there is no room. */
export function hostCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  const host = new Command('host')
    .summary('show what a host is, and start simulated ones that programs share')
    .description(
      'Shows what TDs can be had on a host: the numbers that bound the vCPUs of a TD and the ' +
        'one that binds, how many key slots there are, who holds them, and whose rules apply. ' +
        'Only reads; on kvm and soft it makes one VM for a moment to read its own limit. ' +
        'Its commands start a simulated host that stays, for many programs at once.',
    )
    // The root does so too (program.ts), and both are needed.
    .enablePositionalOptions()
    .addOption(hostOption())
    .addOption(
      inputFile(
        new Option('--room <file>', 'say how many TDs of this TrustDomain or Fleet file it takes'),
      ),
    )
    .addOption(kernelOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl host --host sim:gnr-2.0 --room td.yaml
  tdctl host                     this machine, or the simulated host where it has no TDX
  tdctl host --host sim:gnr-2.0  a simulated one
  tdctl host -o json | jq .limits.effective
  tdctl host start lab           a simulated host that stays: --host on:lab, exec --on lab
  tdctl host capture node1.json  the fingerprint of this machine in a file
  tdctl host diff node1.json node2.json`,
    )
    .action(async (options) => {
      const { showHost } = await import('../show-host.ts');
      endWith(await showHost(options, io));
    });
  // addCommand() wants the type of `host` itself, which only dispatches to these.
  const others = [captureCommand(io), diffCommand(io, endWith), ...sharedHostCommands(io)];
  for (const each of others) host.addCommand(each as unknown as Command);
  return host;
}

function captureCommand(io: CommandIo) {
  return new Command('capture')
    .summary('write the fingerprint of this machine to a file')
    .description(
      'Writes everything `tdctl doctor` reads, what KVM answers and its CPUID to one ' +
        'JSON file: for support, for `host diff`, and to simulate this machine elsewhere. ' +
        'Host names, serial numbers, addresses, names of cgroups and VMs, users, and all ' +
        'of the kernel command line but parameters about TDX are left out.',
    )
    .addArgument(outputFile(new Argument('[file]', 'where to; - is stdout').default('-')))
    .addOption(forceForFile())
    .addHelpText(
      'after',
      `
Examples:
  sudo tdctl host capture node1.json
  tdctl doctor --root node1.json

Exit codes: 0 written · 4 the file exists`,
    )
    .action(async (file, { force }) => {
      const { writeCapture } = await import('../host/write-capture.ts');
      await writeCapture(file, { force: force === true, io });
    });
}

function diffCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('diff')
    .summary('say in what two captured hosts differ, and what a TD makes of it')
    .description(
      'Compares two captures, and says of each difference what it means for a TD that ' +
        'was built for A and shall run on B: it blocks the move, changes what the TD or ' +
        'its verifier sees, or is only for information.',
    )
    .addArgument(inputFile(new Argument('<a>', 'capture of the host a TD comes from')))
    .addArgument(inputFile(new Argument('<b>', 'capture of the host it shall run on')))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing differs · 6 something does · 3 a file is missing',
    )
    .action(async (a, b, { output }) => {
      const { diffCaptures } = await import('../host/diff-captures.ts');
      endWith(await diffCaptures({ a, b, output }, io));
    });
}

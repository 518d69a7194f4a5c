import { Argument, Command, Option } from '@commander-js/extra-typings';
import { hostName, inputFile, outputFile, programName } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { faultOption, simulatedKernelOption } from '../options.ts';

export function execCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return new Command('exec')
    .summary("run an unmodified VMM with a simulated TDX host's /dev/kvm")
    .description(
      'Runs a command whose /dev/kvm is answered by the simulated host: QEMU, another VMM, a KVM ' +
        'test. Guest code is NOT run: KVM_RUN is answered by a script, and what is put to the test ' +
        'is the control path, from KVM_CREATE_VM to the last close, errno by errno. It needs no ' +
        'privilege, no /dev/kvm and no TDX.',
    )
    .addArgument(
      programName(new Argument('<command...>', 'the command and its arguments, after `--`')),
    )
    .passThroughOptions()
    .addOption(
      hostName(
        new Option('--host <host>', 'the simulated host: sim, sim:PROFILE or sim:FILE').default(
          'sim',
        ),
      ),
    )
    .addOption(
      new Option(
        '--on <name>',
        'the shared host that answers (`tdctl host start NAME`), in place of one of its own',
      ),
    )
    .addOption(simulatedKernelOption())
    .addOption(
      inputFile(
        new Option('--run <script>', 'what the guests do, a RunScript file (default: power off)'),
      ),
    )
    .addOption(faultOption('the simulated host'))
    .addOption(
      outputFile(new Option('--trace <file>', 'write every KVM call to a file (.jsonl: as JSON)')),
    )
    .addOption(
      outputFile(
        new Option(
          '--summary <file>',
          'write the summary as JSON to a file, instead of text to stderr',
        ),
      ),
    )
    .addOption(
      new Option(
        '--fd <number>',
        'an open file that the command gets too, by its number; repeatable',
      ).argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]),
    )
    .option('-q, --quiet', 'no summary on stderr')
    .addHelpText(
      'after',
      `
Examples:
  tdctl exec -- qemu-system-x86_64 -accel kvm -machine q35,confidential-guest-support=tdx0,…
  tdctl exec --kernel series-v9 -- ./my-vmm td.json     where an earlier kernel would refuse
  tdctl exec --trace vmm.trace -- ./my-vmm td.json      then: tdctl trace lint vmm.trace
  tdctl exec --fault KVM_TDX_INIT_VM#1=EAGAIN -- ./my-vmm td.json
  tdctl exec --run guest.yaml --summary out.json -- ./my-vmm td.json
  tdctl exec --on lab -- ./my-vmm td.json               beside other programs on one host

Exit codes: the command's own · 128+N it died of signal N · 126, 127 it could not be started ·
            1 output was lost, or tdctl had a defect · 4 another command is writing the file ·
            6 it ended with 0, and did not do what the script expects, or never came to a --fault · 2 usage · 5 script invalid ·
            8 this machine or sandbox cannot supervise a program`,
    )
    .action(async (command, options, self) => {
      const { sharedHostNamed } = await import('../exec/shared.ts');
      const isGiven = (name: string) => self.getOptionValueSource(name) === 'cli';
      const on = sharedHostNamed(options, isGiven);
      if (on === undefined) {
        const { exec } = await import('../exec/exec.ts');
        endWith(await exec({ command, ...options }, io));
      } else {
        const { execOn } = await import('../exec/on-host.ts');
        endWith(await execOn({ command, ...options, on }, io));
      }
    });
}

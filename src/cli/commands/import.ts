import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { importedName, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { forceOption, outputOption } from '../options.ts';

/** @param endWith takes 6 where something could not be taken over. */
export function importCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('import')
    .summary("make a TrustDomain file of a libvirt domain or of QEMU's command line")
    .description(
      'Makes a TrustDomain file of an existing definition: the XML of a libvirt domain, or a ' +
        'command of QEMU or systemd-vmspawn, in a file or after `--`. What has no place in the ' +
        'file is listed on stderr, with the reason. `tdctl plan` on the result says why the TD ' +
        'would not start.',
    )
    .addArgument(
      importedName(
        new Argument(
          '<definition...>',
          'XML or a command in a file, - for standard input; or the command itself after `--`',
        ),
      ),
    )
    .option('--name <name>', 'name of the TD (default: that of the definition)')
    .addOption(
      outputFile(new Option('--save <file>', 'write the TrustDomain file, instead of printing it')),
    )
    .addOption(forceOption({ has: ({ save }) => save !== undefined, only: 'for --save' }))
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl import vm.xml --save vm.yaml && tdctl plan vm.yaml
  virsh dumpxml --inactive vm | tdctl import - | tdctl plan -
  tdctl import run-td.sh --save vm.yaml                 a script with one command
  tdctl import -- qemu-system-x86_64 -machine q35,confidential-guest-support=tdx0 …

Exit codes: 0 all was taken over · 6 not all, and stderr says what · 3 no such file · 5 no such definition`,
    )
    .action(async (definition, options) => {
      const { runImport } = await import('../import/run-import.ts');
      endWith(await runImport({ definition, ...options }, io));
    });
}

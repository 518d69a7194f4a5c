import { Argument, Command, Option } from '@commander-js/extra-typings';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { forceForFile } from '../options.ts';
import { say } from '../output/print.ts';

export function initCommand(io: CommandIo) {
  return new Command('init')
    .summary('write a commented TrustDomain file to start from')
    .description(
      'Writes a TrustDomain file with every field explained. A file that exists is left as it is, unless --force says otherwise.',
    )
    .addArgument(
      outputFile(
        new Argument('[FILE]', 'where to write; - for standard output').default('td.yaml'),
      ),
    )
    .option('--name <name>', 'name of the TD (default: from the name of FILE)')
    .addOption(
      inputFile(
        new Option('--firmware <path>', 'TDVF image to name in the file').default(
          '/usr/share/ovmf/OVMF.fd',
        ),
      ),
    )
    .addOption(
      new Option('--engine <engine>', 'who is to run the TD')
        .choices(['builtin', 'qemu'] as const)
        .default('builtin' as const),
    )
    .addOption(forceForFile())
    .addHelpText(
      'after',
      `
Examples:
  tdctl init                                  write td.yaml
  tdctl init web.yaml --firmware OVMF.fd      write web.yaml for a TD called web
  tdctl init --engine qemu                    with disks, networks and devices
  tdctl init - | less                         look at it first

Editors with a YAML language server complete and check the file as you type: its first line
names the schema of this tdctl.`,
    )
    .action(async (file, options) => {
      const { writeTemplate } = await import('../../spec/init.ts');
      const { text, notes } = await writeTemplate({ file, ...options });
      if (text !== undefined) io.stdout.write(text);
      for (const note of notes) say(io, note);
    });
}

import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { MeasurementOrder } from '../../firmware/index.ts';
import { inputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';
import { printData } from '../output/data.ts';

const orders = ['page', 'section'] as const satisfies readonly MeasurementOrder[];

const explanation = `
MRTD is the TDX module's own measurement of a TD's first memory: where each page
lies, and the content of the pages that the firmware's metadata marks as
measured. The variable store's content, vCPUs, memory size and ATTRIBUTES are
not in it.

The same image has two values, and a published one says nothing without its
order:
  page     Each page is added, then measured, then the next. Linux from 6.16,
           so QEMU from 10.1; Google Compute Engine; Cloud Hypervisor.
  section  All pages of a section are added, then all measured. QEMU 8 as
           vendors patched it before TDX was upstream.

Examples:
  tdctl measure /usr/share/ovmf/OVMF.fd
  tdctl measure OVMF_CODE.fd --vars OVMF_VARS.fd
  tdctl measure OVMF.fd --order section
  tdctl measure OVMF.fd --output json | jq -r .mrtd

Exit codes: 0 measured · 3 a file does not exist · 5 the image cannot start a TD`;

export function measureCommand(io: CommandIo) {
  return new Command('measure')
    .summary('predict the MRTD of a TD from its firmware')
    .description('Show what a TDVF firmware image puts into a TD, and predict the MRTD it gives.')
    .addArgument(inputFile(new Argument('<firmware>', 'TDVF image, such as OVMF.fd')))
    .addOption(
      inputFile(
        new Option(
          '--vars <file>',
          'variable store, where the image is in two files: goes in front',
        ),
      ),
    )
    .addOption(
      new Option('--order <order>', 'how the VMM adds and measures pages')
        .choices(orders)
        .default('page' as const),
    )
    .addOption(outputOption())
    .addHelpText('after', explanation)
    .action(async (path, { vars, order, output }) => {
      const { loadFirmware, predictMrtd } = await import('../../firmware/index.ts');
      const { measurementData, measurementText } = await import('../output/measurement.ts');
      const image = await loadFirmware({ path, varsPath: vars });
      const measurement = { image, prediction: predictMrtd(image, { order }) };
      await printData('tdctl.Measurement', measurementData(measurement), {
        io,
        format: output,
        text: () => measurementText(measurement, io.colors.stdout),
      });
    });
}

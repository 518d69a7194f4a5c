/** Decides the form of the chart, draws it, and puts it where it should go. */
import { extname } from 'node:path';
import { TdctlError } from '../../errors/index.ts';
import type { ChartModel } from '../../visualize/chart-model.ts';
import { type ChartFormat, formatByExtension } from '../../visualize/formats.ts';
import { renderChart } from '../../visualize/render.ts';
import { standardOutputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { print } from '../output/print.ts';
import type { GraphOptions } from './options.ts';
import { writeOutput } from './write-output.ts';

export interface PictureOptions extends GraphOptions {
  readonly active: readonly string[];
}

export async function drawPicture(
  model: ChartModel,
  options: PictureOptions,
  io: CommandIo,
): Promise<void> {
  const format = formatOf(options);
  const onSlow = (message: string) => io.stderr.write(`${message}\n`);
  const { out: path, direction, active } = options;
  if (format === 'png') {
    const { svgToPng } = await import('../../visualize/png.ts');
    // A PNG cannot follow its reader's preference, and librsvg knows no CSS variables.
    const theme = options.theme === 'dark' ? 'dark' : 'light';
    const svg = await renderChart(model, { format: 'svg', direction, theme, active, onSlow });
    await writeOutput(await svgToPng(svg, { zoom: 2 }), { path, io });
  } else if (format === 'tree' && path === undefined) {
    const { chartTree } = await import('../../visualize/text/tree.ts');
    const { treeStyle } = await import('./tree-style.ts');
    print(io, chartTree(model, { active, style: treeStyle(io.colors.stdout) }));
  } else {
    const { theme } = options;
    await writeOutput(await renderChart(model, { format, direction, theme, active, onSlow }), {
      path,
      io,
    });
  }
}

function formatOf({ format, out: path }: PictureOptions): ChartFormat {
  const out = path === standardOutputFile ? undefined : path;
  if (format === 'png' && path === undefined) {
    throw usage(
      'a PNG is not printed on standard output',
      'name a file: -o life.png, or -o - for a pipe',
    );
  }
  if (format !== undefined) return format;
  if (out === undefined) return 'tree';
  const extension = extname(out).toLowerCase();
  const guessed = formatByExtension[extension];
  if (guessed !== undefined) return guessed;
  const known = Object.keys(formatByExtension).join(' ');
  throw usage(
    extension === ''
      ? 'the name of the file does not say which form it should have'
      : `the ending ${JSON.stringify(extension)} does not say which form the file should have`,
    `name it with --format, or use one of ${known}`,
  );
}

function usage(message: string, hint: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'choose the form of the chart',
    message,
    hint,
  });
}

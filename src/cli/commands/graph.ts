import { extname } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { type ChartFormat, chartFormats, formatByExtension } from '../../visualize/formats.ts';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { usefulWith } from '../useful-options.ts';

const explanation = `
Without a MACHINE, the machines are listed. Without --format, the ending of FILE decides
(.svg .html .png .mmd .dot .scxml .json .puml .txt); on standard output it is a tree.

Examples:
  tdctl graph td-lifecycle                      the states as a tree
  tdctl graph td-lifecycle -o life.svg          a picture, light or dark as its reader prefers
  tdctl graph td-lifecycle -o life.html         the picture with descriptions, ioctls and search
  tdctl graph td-lifecycle --format mermaid     for a page on GitHub
  tdctl graph td-lifecycle --paths              the shortest way to every state
  tdctl run td.yaml --host sim --until runnable -o json > run.jsonl  the events of a run
  tdctl graph td-lifecycle --coverage run.jsonl  what that run has been through
  tdctl graph td-lifecycle --paths --coverage run.jsonl  the way to every state, and which that run saw

Exit codes: 0 done · 1 no rsvg-convert, unreadable events, unwritable file · 2 usage ·
            3 no such file`;

type Values = Readonly<Record<string, unknown>>;

const showsChart = ({ paths, coverage }: Values) => paths === undefined && coverage === undefined;

const ofAChart = usefulWith({
  has: showsChart,
  only: 'for a chart, and not for the text of --paths and --coverage',
});

/** @param forms those in which the option can be seen */
function inForms(forms: readonly ChartFormat[]) {
  return usefulWith({
    has: (values) => showsChart(values) && forms.includes(formOf(values) ?? 'svg'),
    only: `for ${forms.join(', ')}`,
  });
}

/** Undefined where the ending says nothing, which is told when the chart is drawn. */
function formOf({ format, out }: Values): ChartFormat | undefined {
  if (format !== undefined) return format as ChartFormat;
  return out === undefined || out === '-'
    ? 'tree'
    : formatByExtension[extname(String(out)).toLowerCase()];
}

export function graphCommand(io: CommandIo) {
  return new Command('graph')
    .summary('show a statechart as a picture or as text')
    .description(
      'Shows the statecharts that tdctl runs: as pictures (SVG, HTML, PNG), as text (tree, Mermaid, ' +
        'PlantUML, DOT) and as data (SCXML, XState). Pictures load nothing from elsewhere.',
    )
    .argument('[machine]', 'which statechart')
    .addOption(ofAChart(new Option('--format <format>', 'which form').choices(chartFormats)))
    .addOption(
      outputFile(
        new Option(
          '-o, --out <file>',
          'write to FILE instead of standard output; - is standard output',
        ),
      ),
    )
    .addOption(
      inForms(['svg', 'html', 'png', 'mermaid', 'dot', 'plantuml'])(
        new Option('--direction <direction>', 'how the states follow one another')
          .choices(['down', 'right'] as const)
          .default('down' as const),
      ),
    )
    .addOption(
      inForms(['svg', 'html', 'png'])(
        new Option('--theme <theme>', 'colours of a picture; auto follows its reader')
          .choices(['auto', 'light', 'dark'] as const)
          .default('auto' as const),
      ),
    )
    .addOption(
      inForms(['svg', 'html', 'png', 'tree'])(
        new Option('--active <state...>', 'mark these states, such as provisioning.creatingVm'),
      ),
    )
    .option(
      '--paths',
      'print the shortest event path to every state; with --coverage, whether runs came there',
    )
    .addOption(
      inputFile(
        new Option(
          '--coverage <file...>',
          'print which states and transitions recorded runs went through',
        ),
      ),
    )
    .addHelpText('after', explanation)
    .action(async (machine, options) => {
      const { graph } = await import('../graph/graph.ts');
      await graph({ machine, ...options }, io);
    });
}

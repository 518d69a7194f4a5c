import { Command, Option } from '@commander-js/extra-typings';
import { chartFormats } from '../../visualize/formats.ts';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';

const explanation = `
Without a MACHINE, the machines are listed. Without --format, the ending of FILE decides
(.svg .html .png .mmd .dot .scxml .json .puml .txt); on standard output it is a tree.

Examples:
  tdctl graph td-lifecycle                      the states as a tree
  tdctl graph td-lifecycle -o life.svg          a picture, light or dark as its reader prefers
  tdctl graph td-lifecycle -o life.html         the picture with descriptions, ioctls and search
  tdctl graph td-lifecycle --format mermaid     for a page on GitHub
  tdctl graph td-lifecycle --paths              the shortest way to every state
  tdctl run td.yaml -o json > run.jsonl; tdctl graph td-lifecycle --coverage run.jsonl
                                                what that run has been through
  tdctl run td.yaml --host sim --trace run.jsonl; tdctl graph td-lifecycle --paths --coverage run.jsonl
                                                the way to every state, and which that run saw

Exit codes: 0 done · 1 no rsvg-convert, unreadable events, unwritable file · 2 usage ·
            3 no such file`;

export function graphCommand(io: CommandIo) {
  return new Command('graph')
    .summary('show a statechart as a picture or as text')
    .description(
      'Shows the statecharts that tdctl runs: as pictures (SVG, HTML, PNG), as text (tree, Mermaid, ' +
        'PlantUML, DOT) and as data (SCXML, XState). Pictures load nothing from elsewhere.',
    )
    .argument('[machine]', 'which statechart')
    .addOption(new Option('--format <format>', 'which form').choices(chartFormats))
    .addOption(
      outputFile(new Option('-o, --out <file>', 'write to FILE instead of standard output')),
    )
    .addOption(
      new Option('--direction <direction>', 'how the states follow one another')
        .choices(['down', 'right'] as const)
        .default('down' as const),
    )
    .addOption(
      new Option('--theme <theme>', 'colours of a picture; auto follows its reader')
        .choices(['auto', 'light', 'dark'] as const)
        .default('auto' as const),
    )
    .option('--active <state...>', 'mark these states, such as provisioning.creatingVm')
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

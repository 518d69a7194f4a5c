/** The command tree as completion needs it: what may follow where. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { machines } from '../../../machines/index.ts';
import { kernelAbis } from '../../abi/kvm/kernels/index.ts';
import { hostProfiles } from '../../simulator/index.ts';
import { isDeclared } from '../file-arguments.ts';
import { tdArgument } from '../kept/options.ts';

export interface Node {
  /** `trace lint`; empty for tdctl itself. */
  readonly path: string;
  readonly summary: string;
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionNode[];
  /** What an argument may be. */
  readonly values: Values;
}

export interface OptionNode {
  readonly short: string | undefined;
  readonly long: string;
  readonly summary: string;
  /** Undefined: it takes none. */
  readonly values: Values | undefined;
}

export interface Values {
  readonly words: readonly string[];
  readonly files: boolean;
  /** The names of the TDs that are kept at the moment. */
  readonly tds: boolean;
}

const kernels = Object.keys(kernelAbis);
const profiles = Object.keys(hostProfiles);
const hosts = [
  ...['auto', 'kvm', 'soft', 'sim'],
  ...profiles.flatMap((profile) => [`sim:${profile}`, `soft:${profile}`]),
];

/** What commander does not know to be a choice. */
const known: Readonly<Record<string, readonly string[]>> = {
  '--kernel': kernels,
  '--compare': ['all', ...kernels],
  '--host': hosts,
  '--hosts': hosts.filter((host) => host.startsWith('sim:')),
  '--from': hosts.filter((host) => host.startsWith('sim:')),
  'kernels name': kernels,
  'graph machine': machines.map(({ id }) => id),
};

/** These name files too, though nothing is read before the command looks what they are. */
const alsoFiles: ReadonlySet<string> = new Set(['--root', '--hosts', '--from', '--host']);

export function nodesOf(command: CommandUnknownOpts, path: readonly string[] = []): Node[] {
  // `help` of a command that only dispatches is of no use to anybody.
  const subcommands = command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => path.length === 0 || sub.name() !== 'help');
  const name = path.join(' ');
  const node: Node = {
    path: name,
    summary: command.summary() || command.description(),
    subcommands: subcommands.map((sub) => ({ name: sub.name(), summary: sub.summary() })),
    options: command
      .createHelp()
      .visibleOptions(command)
      .flatMap((option) => {
        const { long, short, description, required, optional, argChoices } = option;
        if (!long) return [];
        const words = argChoices ?? known[long] ?? [];
        const files = isDeclared(option) || alsoFiles.has(long);
        const values = required || optional ? { words, files, tds: false } : undefined;
        return [{ short, long, summary: description, values }];
      }),
    values: {
      words: command.registeredArguments.flatMap(
        (argument) => argument.argChoices ?? known[`${name} ${argument.name()}`] ?? [],
      ),
      files: command.registeredArguments.some(isDeclared),
      tds: command.registeredArguments.some((argument) => argument.name() === tdArgument),
    },
  };
  return [node, ...command.commands.flatMap((sub) => nodesOf(sub, [...path, sub.name()]))];
}

/**
 * Which options and arguments name files. A command says it where it declares them, and before it acts
 * all of them are looked at together: no output may be an input, or a second output.
 */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { TdctlError } from '../errors/index.ts';
import type { NamedFile, NamedFiles } from '../files/named-files.ts';
import { isHostFile } from './host-file.ts';

type Role = 'input' | 'output' | 'host' | 'program' | 'definition';

const roles = new WeakMap<object, Role>();

const having =
  (role: Role) =>
  <Declared extends object>(declared: Declared): Declared => {
    roles.set(declared, role);
    return declared;
  };

/** The option or argument names a file that the command reads. */
export const inputFile = having('input');
/** It names a file that the command writes; `-` is standard output. */
export const outputFile = having('output');
/** It is the value of `--host`, which may name a file: `sim:FILE`. */
export const hostName = having('host');
/** It is another command: its program is a file if it is named by a path. */
export const programName = having('program');

/** A file, or, in several words, a command that is not run. */
export const importedName = having('definition');

export function isDeclared(declared: object): boolean {
  return roles.has(declared);
}

/** @throws TdctlError TDCTL_E_USAGE where an output is an input, or a second output. */
export function checkFiles(command: CommandUnknownOpts, files: NamedFiles): void {
  const named = [
    ...command.registeredArguments.map((declared, at) => ({
      declared,
      by: `<${declared.name()}>`,
      value: command.processedArgs[at],
    })),
    ...command.options.map((declared) => ({
      declared,
      by: declared.long ?? declared.flags,
      value: command.getOptionValue(declared.attributeName()),
    })),
  ];
  refuseSharedStreams(named);
  for (const { declared, by, value } of named) {
    const role = roles.get(declared);
    if (role !== undefined && role !== 'output') files.reads(...filesIn(role, by, value));
  }
  for (const { declared, by, value } of named) {
    if (roles.get(declared) === 'output') files.writes(...filesIn('output', by, value));
  }
}

interface Named {
  readonly declared: object;
  readonly by: string;
  readonly value: unknown;
}

/** Standard input can be read once, and two outputs on standard output could not be told apart. */
function refuseSharedStreams(named: readonly Named[]): void {
  for (const [role, stream] of [
    ['input', 'standard input'],
    ['output', 'standard output'],
  ] as const) {
    const uses = named
      .filter(({ declared }) => roles.get(declared) === role)
      .flatMap(({ by, value }) => [value].flat().flatMap((each) => (each === '-' ? [by] : [])));
    if (uses.length < 2) continue;
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'look at the files that are named',
      place: uses.join(' and '),
      message: `each of them is \`-\`, and ${stream} is one`,
      hint: 'name a file in place of one of them',
    });
  }
}

/**
 * An option that names `-` as its output has standard output for itself: what the command prints goes to
 * stderr then. An argument that is an output is all that its command prints.
 */
export function takeStandardOutput(command: CommandUnknownOpts): boolean {
  const taken = command.options.filter(
    (declared) =>
      roles.get(declared) === 'output' && command.getOptionValue(declared.attributeName()) === '-',
  );
  for (const declared of taken) {
    command.setOptionValue(declared.attributeName(), standardOutputFile);
  }
  return taken.length > 0;
}

/** The files room writes to it what goes to standard output. */
export const standardOutputFile = '/dev/stdout';

function filesIn(role: Role, by: string, value: unknown): NamedFile[] {
  const texts = [value].flat().filter((text) => typeof text === 'string' && text !== '-');
  return pathsIn[role](texts as string[]).map((path) => ({ path, by }));
}

const pathsIn: Readonly<Record<Role, (texts: readonly string[]) => readonly string[]>> = {
  input: (texts) => texts,
  output: (texts) => texts,
  host: (texts) => texts.flatMap(hostFileIn),
  definition: (texts) => (texts.length === 1 ? texts : []),
  program: ([program = '']) => (program.includes('/') ? [program] : []),
};

/** The file of `sim:FILE` or `soft:FILE`, if it is one. */
export function hostFileIn(host: string): readonly string[] {
  const profile = host.slice(host.indexOf(':') + 1);
  return host.includes(':') && isHostFile(profile) ? [profile] : [];
}

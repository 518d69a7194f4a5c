/** A man page of a command, made of the command tree: man(7) macros, which groff and mandoc read. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type HelpBlock, helpOf, readHelp } from './help.ts';

export interface Manual {
  /** `['trace', 'lint']`; empty for tdctl itself. */
  readonly path: readonly string[];
  readonly command: CommandUnknownOpts;
  readonly version: string;
}

export function manPage({ path, command, version }: Manual): string {
  const help = command.createHelp();
  const name = ['tdctl', ...path].join('-');
  const summary = command.summary() || command.description();
  const subcommands = help.visibleCommands(command).filter((sub) => sub.name() !== 'help');
  const blocks = readHelp(helpOf(command));
  const isAbout = (block: HelpBlock) =>
    block.kind !== 'examples' && !('title' in block && block.title === 'Exit codes');
  return [
    `.TH "${name.toUpperCase()}" 1 "" "tdctl ${version}" "User Commands"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${escaped(['tdctl', ...path].join(' '))}`,
    line(command.usage()),
    '.SH DESCRIPTION',
    line(command.description()),
    ...blocks.filter(isAbout).flatMap(blockLines),
    ...tagged(
      'COMMANDS',
      subcommands.map((sub) => [sub.name(), sub.summary()] as const),
    ),
    ...tagged(
      'ARGUMENTS',
      command.registeredArguments.map(
        (argument) => [argument.name(), argument.description] as const,
      ),
    ),
    ...tagged(
      'OPTIONS',
      help
        .visibleOptions(command)
        .map((option) => [option.flags, help.optionDescription(option)] as const),
    ),
    ...blocks.filter((block) => !isAbout(block)).flatMap(sectionLines),
    '.SH SEE ALSO',
    path.length === 0 ? line('tdctl man COMMAND prints the page of a command.') : '.BR tdctl (1)',
    '',
  ].join('\n');
}

function sectionLines(block: HelpBlock): string[] {
  if (block.kind === 'examples') {
    return [
      '.SH EXAMPLES',
      ...block.rows.flatMap(([command, purpose]) => [
        '.TP',
        `.B ${escaped(command)}`,
        line(purpose === '' ? '\\&' : purpose),
      ]),
    ];
  }
  return block.kind === 'list' ? tagged('EXIT STATUS', block.rows) : [];
}

function blockLines(block: HelpBlock): string[] {
  switch (block.kind) {
    case 'paragraph':
      return ['.PP', line(block.text)];
    case 'command':
      return ['.PP', `.B ${escaped(block.text)}`];
    default:
      return ['.PP', line(`${block.title}:`), ...tags(block.rows)];
  }
}

function tagged(title: string, rows: readonly (readonly [string, string])[]): string[] {
  return rows.length === 0 ? [] : [`.SH ${title}`, ...tags(rows)];
}

function tags(rows: readonly (readonly [string, string])[]): string[] {
  return rows.flatMap(([tag, text]) =>
    tag === '' ? ['.PP', line(text)] : ['.TP', `.B ${escaped(tag)}`, line(text || '\\&')],
  );
}

/** A line that begins with a full stop or an apostrophe would be a macro. */
function line(text: string): string {
  return text === '\\&' ? text : escaped(text).replace(/^(?=[.'])/, '\\&');
}

const characters: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '…': '...',
  '·': '\\(pc',
  '"': '\\(dq',
};

function escaped(text: string): string {
  return text.replace(/[\\\-'`…·"]/g, (character) => characters[character] ?? character);
}

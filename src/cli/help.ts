/**
 * The text below the options of a command, as its file has it, made data: --help prints it at the width
 * of the terminal, and a man page is made of it. Blocks are parted by empty lines: a paragraph, a list
 * (`  term   meaning`), `Examples:` (`  command   purpose`) and `Exit codes:` (`0 meaning · 1 meaning`).
 */
import { foldCommand } from './output/layout.ts';
import { wrap } from './output/wrap.ts';

export type HelpBlock =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'list'; readonly title: string; readonly rows: readonly Row[] }
  | { readonly kind: 'examples'; readonly title: string; readonly rows: readonly Row[] };

/** The second is empty where the first needs no words. */
export type Row = readonly [string, string];

export function readHelp(text: string): HelpBlock[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.replace(/^\n+|\s+$/g, ''))
    .filter((block) => block !== '')
    .flatMap((block) => block.split(/\n(?=Exit codes: )/))
    .map(readBlock);
}

function readBlock(block: string): HelpBlock {
  const [first = '', ...rest] = block.split('\n');
  if (first.startsWith('Exit codes: ')) {
    return { kind: 'list', title: 'Exit codes', rows: exitRows(block.slice(12)) };
  }
  if (first === 'Examples:') return { kind: 'examples', title: 'Examples', rows: rowsOf(rest) };
  // A sentence leads to the list.
  const [, title = '', list = ''] = /^(\S.*?):\n( {2}.*)$/s.exec(block) ?? [];
  if (list !== '') return { kind: 'list', title: inOneLine(title), rows: rowsOf(list.split('\n')) };
  if (first.startsWith('  ')) return { kind: 'command', text: block.trim() };
  return { kind: 'paragraph', text: inOneLine(block) };
}

function exitRows(text: string): Row[] {
  return inOneLine(text)
    .split(' · ')
    .map((entry): Row => {
      const [, codes = '', meaning = ''] =
        /^((?:\d+(?:\+N)?(?:, )?)+)(?:$|:? (.*))/.exec(entry) ?? [];
      return codes === '' ? ['', entry] : [codes, meaning];
    });
}

/** A line that is indented further goes on with the words of the one above. */
function rowsOf(lines: readonly string[]): Row[] {
  const rows: [string, string][] = [];
  for (const line of lines) {
    const [, term = '', words = ''] = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
    const last = rows.at(-1);
    if (term === '' && last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
    else rows.push([term, words]);
  }
  return rows;
}

function inOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

export function helpText(text: string, width: number): string {
  return readHelp(text)
    .map((block) => `\n${blockLines(block, width).join('\n')}\n`)
    .join('');
}

function blockLines(block: HelpBlock, width: number): string[] {
  switch (block.kind) {
    case 'paragraph':
      return wrap(block.text, width);
    case 'command':
      return foldCommand(`  ${block.text}`, width);
    case 'list':
      return [...wrap(`${block.title}:`, width), ...listLines(block.rows, width)];
    case 'examples':
      return [`${block.title}:`, ...exampleLines(block.rows, width)];
  }
}

function listLines(rows: readonly Row[], width: number): string[] {
  const column = Math.max(...rows.map(([term]) => term.length)) + 4;
  return rows.flatMap(([term, meaning]) =>
    wrap(meaning, width - column).map((line, at) =>
      (at === 0 ? `  ${term.padEnd(column - 2)}${line}` : ' '.repeat(column) + line).trimEnd(),
    ),
  );
}

/** The purposes stand beside their commands where all have room so, else below them. */
function exampleLines(rows: readonly Row[], width: number): string[] {
  const explained = rows.filter(([, purpose]) => purpose !== '');
  const column = Math.max(0, ...explained.map(([command]) => command.length)) + 4;
  const isBeside = explained.every(([, purpose]) => column + purpose.length <= width);
  return rows.flatMap(([command, purpose]) => {
    const line = `  ${command}`;
    if (purpose === '') return foldCommand(line, width);
    if (isBeside) return [line.padEnd(column) + purpose];
    return [
      ...foldCommand(line, width),
      ...wrap(purpose, width - 6).map((part) => `      ${part}`),
    ];
  });
}

interface Helped {
  listeners(event: string): unknown[];
  removeAllListeners(event: string): unknown;
  on(event: string, listener: (context: { write(text: string): void }) => void): unknown;
}

/** What `addHelpText('after', …)` was given, as it stands in the file of the command. */
const texts = new WeakMap<object, string>();

export function helpOf(command: object): string {
  return texts.get(command) ?? '';
}

/** Prints the help below the options at the width of the terminal. */
export function atWidth(command: object, width: () => number): void {
  // Commander is an EventEmitter, which its types leave out.
  const emitter = command as Helped;
  let text = '';
  for (const listener of emitter.listeners('afterHelp')) {
    (listener as (context: unknown) => void)({
      error: false,
      command,
      write: (part: string) => {
        text += part;
      },
    });
  }
  texts.set(command, text);
  emitter.removeAllListeners('afterHelp');
  emitter.on('afterHelp', (context) => context.write(helpText(text, width())));
}

/**
 * Puts text onto a terminal of a width: tables into columns, and lines that are too long into several,
 * indented as what they go on. Without a width (a pipe, a file) every row and line stays in one line,
 * so that a script finds there what it looks for.
 */
import { cellMark, tableMark } from './table.ts';
import { tableLines } from './table-layout.ts';
import { textWidth } from './text-width.ts';
import { wrap } from './wrap.ts';

export function layOut(text: string, width?: number): string {
  const laid: string[] = [];
  let table: string[] = [];
  const flush = () => {
    if (table.length > 0) laid.push(...tableLines(table, width));
    table = [];
  };
  for (const line of text.split('\n')) {
    if (!line.includes(cellMark)) {
      flush();
      laid.push(...fold(line.replaceAll(tableMark, ''), width));
      continue;
    }
    if (line.startsWith(tableMark)) flush();
    table.push(line);
  }
  flush();
  return laid.join('\n');
}

/** These mean something only as they stand: lines of a file with what points into them. */
const excerpt = /^\s*(?:\d+ )?\| |^\s*\^+\s*$/;

/** One line in as many as it takes. */
export function fold(line: string, width: number | undefined): string[] {
  if (width === undefined || textWidth(line) <= width || excerpt.test(plain(line))) return [line];
  if (isCommand(line)) return foldCommand(line, width);
  const indent = /^ */.exec(line)?.[0].length ?? 0;
  const hang = Math.min(hangOf(plain(line), width), Math.floor(width / 2));
  const [first = '', ...rest] = wrap(line.slice(indent), width - hang);
  return [' '.repeat(indent) + first, ...rest.map((part) => ' '.repeat(hang) + part)];
}

/** Where the lines that follow begin: below the last column, behind a bullet, or a little further in. */
function hangOf(line: string, width: number): number {
  const column = [...line.slice(0, Math.floor(width / 2)).matchAll(/\S {2,}(?=\S)/g)].at(-1);
  if (column !== undefined) return column.index + column[0].length;
  const bullet = /^ *(?:\d+\.|[-+~✓✗·‒■]|[a-z]+:) /.exec(line)?.[0].length;
  return bullet ?? (/^ */.exec(line)?.[0].length ?? 0) + 2;
}

function isCommand(line: string): boolean {
  return /^ *(?:\$ |sudo )?tdctl [a-z]/.test(line);
}

/** A command goes on after a backslash, so that a shell takes all of its lines. */
export function foldCommand(line: string, width: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const words = line.trim().match(/(?:'[^']*'|"[^"]*"|\S)+/g) ?? [];
  const lines: string[] = [];
  let current = indent + (words.shift() ?? '');
  for (const word of words) {
    if (textWidth(`${current} ${word} \\`) <= width) current += ` ${word}`;
    else {
      lines.push(`${current} \\`);
      current = `${indent}    ${word}`;
    }
  }
  return [...lines, current];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colour = /\u001b\[[0-9;]*m/g;

function plain(line: string): string {
  return line.replace(colour, '');
}

/**
 * The columns of a table. One that is too wide for its terminal breaks its cells into lines; then it has
 * its last column below each row; then it goes on below, with its first column again.
 */
import { cellMark, tableMark } from './table.ts';
import { textWidth } from './text-width.ts';
import { longestWord, wrap } from './wrap.ts';

const gap = 2;
/** Text in a narrower column is hard to read. */
const readable = 24;

interface Table {
  readonly indent: number;
  readonly rows: readonly (readonly string[])[];
}

export function tableLines(lines: readonly string[], width?: number): string[] {
  const [first = '', ...others] = lines;
  const [, blanks = '', rest = first] = first.split(tableMark);
  const indent = blanks.length;
  const rows = [rest, ...others.map((line) => line.slice(indent))].map((line) =>
    line.split(cellMark),
  );
  return layOutTable({ indent, rows }, width ?? Number.POSITIVE_INFINITY);
}

function layOutTable(table: Table, width: number): string[] {
  const { indent, rows } = table;
  const natural = widthsOf(rows);
  const room = width - indent - gap * (natural.length - 1);
  if (sum(natural) <= room) return rows.map((row) => lineOf(row, { indent, widths: natural }));
  const least = leastWidths(rows, natural);
  const widths = fitting(natural, { least, room });
  if (widths !== undefined) return rows.flatMap((row) => rowLines(row, { indent, widths }));
  const last = natural.length - 1;
  if (last > 0 && (natural[last] ?? 0) >= readable) return withLastBelow(table, width);
  return last > 1 ? inBands(table, { least, width }) : withLastBelow(table, width);
}

function widthsOf(rows: Table['rows']): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, textWidth(cell));
    });
  }
  return widths;
}

/** A column of words may be as narrow as its longest word, but for one of sentences. */
function leastWidths(rows: Table['rows'], natural: readonly number[]): number[] {
  return natural.map((width, column) => {
    const longest = Math.max(...rows.map((row) => longestWord(row[column] ?? '')));
    return width < readable ? longest : Math.min(width, Math.max(longest, readable));
  });
}

function sum(widths: readonly number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}

/** The widest column gives way first. Undefined where that is not enough. */
function fitting(
  natural: readonly number[],
  { least, room }: { readonly least: readonly number[]; readonly room: number },
): number[] | undefined {
  if (sum(natural) <= room) return [...natural];
  if (sum(least) > room) return undefined;
  const widths = [...natural];
  for (let over = sum(widths) - room; over > 0; over--) {
    const slack = widths.map((width, column) => (width > (least[column] ?? 0) ? width : 0));
    const widest = slack.indexOf(Math.max(...slack));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

interface Columns {
  readonly indent: number;
  readonly widths: readonly number[];
}

function rowLines(row: readonly string[], columns: Columns): string[] {
  const cells = row.map((cell, column) => wrapCell(cell, columns.widths[column] ?? 0));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, at) =>
    lineOf(
      cells.map((lines) => lines[at] ?? ''),
      columns,
    ),
  );
}

/** A word may be wider than its column. */
function lineOf(cells: readonly string[], { indent, widths }: Columns): string {
  const last = cells.length - 1;
  const padded = cells.map((cell, column) =>
    column === last ? cell : cell.padEnd((widths[column] ?? 0) + cell.length - textWidth(cell)),
  );
  return `${' '.repeat(indent)}${padded.join(' '.repeat(gap))}`.trimEnd();
}

/** Numbers are padded in front to stand under one another, and stay so. */
function wrapCell(cell: string, width: number): string[] {
  return textWidth(cell) <= width ? [cell] : wrap(cell, width);
}

function withLastBelow({ indent, rows }: Table, width: number): string[] {
  const count = Math.max(...rows.map((row) => row.length));
  const further = indent + 4;
  // Rows of the same table share the widths of what stays beside one another.
  const heads = rows.map((row) => row.slice(0, count - 1));
  const natural = widthsOf(heads);
  const room = width - indent - gap * (natural.length - 1);
  const widths =
    fitting(natural, { least: leastWidths(heads, natural), room }) ??
    natural.map((each) => Math.min(each, Math.max(1, Math.floor(room / natural.length))));
  return rows.flatMap((row, at) => {
    const below = row[count - 1] ?? '';
    const lines = below === '' ? [] : wrap(below, width - further);
    return [
      ...rowLines(heads[at] ?? [], { indent, widths }),
      ...lines.map((line) => ' '.repeat(further) + line),
    ];
  });
}

function inBands(
  { indent, rows }: Table,
  { least, width }: { readonly least: readonly number[]; readonly width: number },
): string[] {
  const [first = 0] = least;
  const bands: number[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const [column, needed] of least.entries()) {
    if (column === 0) continue;
    if (used + gap + needed > width) {
      bands.push([]);
      used = indent + first;
    }
    bands.at(-1)?.push(column);
    used += gap + needed;
  }
  return bands.flatMap((band, at) => [
    ...(at === 0 ? [] : ['']),
    ...layOutBand({ indent, rows, band }, width),
  ]);
}

function layOutBand(
  { indent, rows, band }: Table & { readonly band: readonly number[] },
  width: number,
) {
  const part = rows.map((row) => [row[0] ?? '', ...band.map((column) => row[column] ?? '')]);
  const natural = widthsOf(part);
  const least = leastWidths(part, natural);
  const room = width - indent - gap * (natural.length - 1);
  const widths = fitting(natural, { least, room }) ?? least;
  return part.flatMap((row) => rowLines(row, { indent, widths }));
}

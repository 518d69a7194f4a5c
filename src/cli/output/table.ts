/** Tables are text with marks between their cells, until layout.ts puts them into columns of a width. */

/**
 * They are control characters, which no sanitised text has. The first row of a table has its indent
 * between two marks: what follows may begin with blanks too.
 */
export const tableMark = '\u001e';
export const cellMark = '\u001f';

/** The columns will be two blanks apart. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string {
  const cells = Math.max(...rows.map((row) => row.length));
  // A row of one cell has a mark too, or it would be no part of the table.
  const line = (row: readonly string[]) =>
    row.length === 1 && cells > 1 ? `${row[0]}${cellMark}` : row.join(cellMark);
  return rows
    .map((row, index) => `${index === 0 ? tableMark + indent + tableMark : indent}${line(row)}\n`)
    .join('');
}

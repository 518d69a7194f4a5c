/** Indents lines within a block by two blanks. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

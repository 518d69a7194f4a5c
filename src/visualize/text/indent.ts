/** Lines within a block, two blanks deeper. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

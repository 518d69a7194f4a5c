/** The error for a file with mistakes. */
import { TdctlError } from '../errors/index.ts';
import { pathInWords } from './path-in-words.ts';
import type { Findings } from './read.ts';

/** Findings beyond these are counted and not listed, since nobody repairs more in one go. */
const mostListed = 50;

/**
 * The error is TDCTL_E_SPEC_INVALID. Each of its `details` has a finding: `file:line:col: field:
 * problem`, the source line and a caret, separated by line ends.
 */
export function invalidFile(
  { findings, format }: Findings,
  file: { readonly path: string; readonly kind: string; readonly help: string },
): TdctlError {
  const details = findings.slice(0, mostListed).map(format);
  if (findings.length > mostListed) details.push(`and ${findings.length - mostListed} more`);
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: `read the ${file.kind} file`,
    message: `this is not a valid ${file.kind} file: ${count(findings.length)}`,
    place: pathInWords(file.path),
    hint: file.help,
    details,
  });
}

function count(mistakes: number): string {
  return mistakes === 1 ? '1 mistake' : `${mistakes} mistakes`;
}

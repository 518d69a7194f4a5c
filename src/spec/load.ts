/** TrustDomain files from disk. Throws {@link TdctlError} and nothing else. */
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { readSpecFile } from './file.ts';
import { readTrustDomain } from './read.ts';
import type { TrustDomain } from './trust-domain.ts';

/** More are counted and not listed: nobody repairs more in one go. */
const mostListed = 50;

/**
 * Reads and checks a TrustDomain file.
 *
 * @throws TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE, and TDCTL_E_SPEC_INVALID as {@link parseTrustDomain}.
 */
export async function loadTrustDomain(path: string): Promise<TrustDomain> {
  return parseTrustDomain(await readSpecFile(path), { path });
}

/**
 * Checks the text of a TrustDomain file. `path` is what findings name, and what the firmware's
 * path is relative to.
 *
 * @throws TDCTL_E_SPEC_INVALID with all findings, one in each of `details`: `file:line:col: field:
 * problem`, the source line and a caret, separated by line ends.
 */
export function parseTrustDomain(text: string, options: { readonly path: string }): TrustDomain {
  const reading = readTrustDomain(text, options);
  if ('trustDomain' in reading) return reading.trustDomain;
  const { findings, format } = reading;
  const details = findings.slice(0, mostListed).map(format);
  if (findings.length > mostListed) details.push(`and ${findings.length - mostListed} more`);
  throw new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the TrustDomain file',
    message: `this is not a valid TrustDomain file: ${count(findings.length)}`,
    place: sanitize(options.path),
    hint: 'docs/spec.md explains every field; `tdctl init -` prints a file that is right',
    details,
  });
}

function count(mistakes: number): string {
  return mistakes === 1 ? '1 mistake' : `${mistakes} mistakes`;
}

/** Reads TrustDomain files from disk. It throws {@link TdctlError} and nothing else. */
import { invalidFile } from '../documents/invalid.ts';
import { readTextFile, type TextFileKind } from '../documents/text-file.ts';
import { sanitize } from '../errors/sanitize.ts';
import { readTrustDomain, trustDomainFormat } from './read.ts';
import type { TrustDomain } from './trust-domain.ts';

const textFile: TextFileKind = {
  kind: 'TrustDomain',
  starter: (path) => `\`tdctl init ${sanitize(path)}\` writes one to start from`,
};

/**
 * Reads and checks a TrustDomain file.
 *
 * @throws TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE, and TDCTL_E_SPEC_INVALID as {@link parseTrustDomain}.
 */
export async function loadTrustDomain(path: string): Promise<TrustDomain> {
  return parseTrustDomain(await readTrustDomainText(path), { path });
}

/**
 * For who does not know yet whether it is a TrustDomain: a pipe can be read only once.
 *
 * @param also the other kinds that it may be
 */
export async function readTrustDomainText(
  path: string,
  also: readonly string[] = [],
): Promise<string> {
  return readTextFile(path, { ...textFile, also });
}

/**
 * Checks the text of a TrustDomain file. Findings name `path`, and the firmware's path is relative
 * to it.
 *
 * @throws TDCTL_E_SPEC_INVALID with all findings, one in each of `details`: `file:line:col: field:
 * problem`, the source line and a caret, separated by line ends.
 */
export function parseTrustDomain(text: string, { path }: { readonly path: string }): TrustDomain {
  const reading = readTrustDomain(text, { path });
  if ('trustDomain' in reading) return reading.trustDomain;
  throw invalidFile(reading, { ...trustDomainFormat, path });
}

import { TdctlError } from '../../src/errors/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';

/** The findings' first lines, without the file's name; none when the text is valid. */
export function headlines(text: string): string[] {
  return refusalOf(text)?.details.map((detail) => (detail.split('\n')[0] ?? '').slice(8)) ?? [];
}

/** Anything but a TdctlError is let through: that is a defect. */
export function refusalOf(text: string): TdctlError | undefined {
  try {
    parseTrustDomain(text, { path: 'td.yaml' });
    return undefined;
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
}

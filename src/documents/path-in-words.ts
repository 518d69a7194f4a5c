import { sanitize } from '../errors/sanitize.ts';

/** This path means standard input, or standard output, as with most commands of a shell. */
export const standardStream = '-';

/** The path of an input, as errors name it. */
export function pathInWords(path: string): string {
  return path === standardStream ? 'standard input' : sanitize(path);
}

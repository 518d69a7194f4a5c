import { relative } from 'node:path';

/** The path as seen from the working directory, unless it lies outside of that. */
export function pathFromHere(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

import { relative } from 'node:path';

/** The path from the working directory, where that lies above it. */
export function pathFromHere(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

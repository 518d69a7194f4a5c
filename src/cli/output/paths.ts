import { relative } from 'node:path';

/** As short as it can be said from the working directory. */
export function pathFromHere(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

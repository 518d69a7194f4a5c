import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where package.json lies: above this file in the sources and in dist alike. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!isRoot(directory) && directory !== dirname(directory)) directory = dirname(directory);
  return directory;
}

/** dist/ has a package.json too, which says what is built. */
function isRoot(directory: string): boolean {
  return existsSync(join(directory, 'package.json')) && !existsSync(join(directory, 'tdctl.js'));
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where package.json lies: above this file in the sources and in dist alike. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}

/** The built tdctl, for tests that start it. They would else judge what was built yesterday. */
import { join } from 'node:path';
import { staleSources } from '../../scripts/sources.mjs';

export const projectRoot = join(import.meta.dirname, '../..');

let stale: readonly string[] | undefined;

/** The file that `node` runs. Throws where it was not built from the sources that are here. */
export function builtMain(): string {
  stale ??= staleSources(projectRoot, 'full');
  if (stale.length > 0) {
    const others = stale.length === 1 ? '' : ` and ${stale.length - 1} more`;
    throw new Error(`dist/ is not built from ${stale[0]}${others} as it is now: npm run build`);
  }
  return join(projectRoot, 'dist/tdctl.js');
}

/** A module by itself, for a process that runs it apart from the command line. */
export function builtModule(path: string): string {
  builtMain();
  return join(projectRoot, 'build/modules', path.replace(/ts$/, 'js'));
}

/** A page carries its client/ modules as one script, which scripts/build.mjs makes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../package-root.ts';

export type ClientName = 'graph' | 'rehearse' | 'watch';

export function clientScript(name: ClientName): string {
  const built = join(packageRoot(), 'dist/pages', `${name}.js`);
  if (!existsSync(built)) throw new Error(`${built} is missing; \`npm run build\` makes it`);
  return readFileSync(built, 'utf8');
}

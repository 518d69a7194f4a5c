/** Finds schema/trust-domain.json of the installed package, for editors. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../package-root.ts';

/** Gives the absolute path, or undefined where the package was installed without the file. */
export function schemaFile(): string | undefined {
  const path = join(packageRoot(), 'schema', 'trust-domain.json');
  return existsSync(path) ? path : undefined;
}

/**
 * Gives what `$schema=` of a file in `directory` says. It is relative where tdctl lies inside the
 * project, because then both are shared together, and absolute otherwise.
 */
export function schemaReference(options: {
  readonly schemaPath: string;
  readonly directory: string;
  readonly projectDirectory: string;
}): string {
  const { schemaPath, directory, projectDirectory } = options;
  const isInProject = isBelow(projectDirectory, schemaPath) && isBelow(projectDirectory, directory);
  const path = isInProject ? relative(resolve(directory), schemaPath) : schemaPath;
  // The editor reads the reference up to the next space.
  return /\s/.test(path) ? pathToFileURL(schemaPath).href : withDot(path);
}

function isBelow(parent: string, path: string): boolean {
  const steps = relative(resolve(parent), resolve(path));
  return steps !== '..' && !steps.startsWith('../') && !isAbsolute(steps);
}

/** The editor takes `schema/x.json` and `./schema/x.json` alike; the second is plainly a path. */
function withDot(path: string): string {
  return isAbsolute(path) || path.startsWith('.') ? path : `./${path}`;
}

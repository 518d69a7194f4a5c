/** Finds schema/trust-domain.json of the installed package, for editors. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Absolute path, or undefined where the package was installed without it. */
export function schemaFile(): string | undefined {
  let directory = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(directory, 'schema', 'trust-domain.json');
    if (existsSync(candidate)) return candidate;
    const parent = dirname(directory);
    if (parent === directory) return undefined;
    directory = parent;
  }
}

/**
 * What the `$schema=` of a file in `directory` says. Relative when tdctl is installed inside the
 * project that is worked in, because then the file is shared together with it; absolute otherwise.
 */
export function schemaReference(options: {
  readonly schemaPath: string;
  readonly directory: string;
  readonly projectDirectory: string;
}): string {
  const { schemaPath, directory, projectDirectory } = options;
  const isInProject = isBelow(projectDirectory, schemaPath) && isBelow(projectDirectory, directory);
  const path = isInProject ? relative(resolve(directory), schemaPath) : schemaPath;
  // The editor reads up to the next space.
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

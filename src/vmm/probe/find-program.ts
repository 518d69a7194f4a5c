/** Finds the program that a file names, as a shell would. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Found =
  | { readonly path: string }
  /** Why there is none. */
  | { readonly problem: string };

/** @param name a path with a slash in it, or the name of a program. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): Found {
  if (name.includes('/')) return judged(name) ?? { path: name };
  const places = (env.PATH ?? '').split(delimiter).filter((place) => place.startsWith('/'));
  const found = places.map((place) => join(place, name)).find((path) => !judged(path));
  return found === undefined ? { problem: `no directory of PATH has ${name}` } : { path: found };
}

function judged(path: string): { readonly problem: string } | undefined {
  try {
    const real = realpathSync(path);
    if (!statSync(real).isFile()) return { problem: `${path} is no file` };
    accessSync(real, constants.X_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') return { problem: `${path} cannot be executed by this user (EACCES)` };
    if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: `there is no ${path}` };
    return { problem: `${path} cannot be looked at (${code})` };
  }
}

import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where compiled code is kept: in a directory of the user's own, and not in Node's usual one below /tmp. What is found
 * there is run, so nobody else may have put it there. Undefined: nothing is kept. The variables are Node's own.
 */
export function cacheDirectory({
  NODE_DISABLE_COMPILE_CACHE: isOff = '',
  NODE_COMPILE_CACHE: named = '',
  XDG_CACHE_HOME: given = '',
}: NodeJS.ProcessEnv): string | undefined {
  if (isOff !== '') return undefined;
  if (named !== '') return named;
  // A relative path is to be ignored (XDG Base Directory Specification).
  if (isAbsolute(given)) return isOwn(given) ? join(given, 'tdctl') : undefined;
  const home = homedir();
  return isOwn(home) ? join(home, '.cache/tdctl') : undefined;
}

/** With sudo, the home may be that of somebody who is not to say what root runs. */
function isOwn(directory: string): boolean {
  try {
    const { uid, mode } = statSync(directory);
    return uid === process.getuid?.() && (mode & 0o002) === 0;
  } catch {
    return false;
  }
}

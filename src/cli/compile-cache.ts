/** Node keeps what it compiled (22.1 on), so that the next start need not compile it again. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The types are those of Node 20. */
const { enableCompileCache } = process.getBuiltinModule('node:module') as {
  readonly enableCompileCache?: (directory: string) => unknown;
};

/**
 * In a directory of the user's own, and not in Node's usual one below /tmp: what is found there is run,
 * so nobody else may have put it there. Never throws; where nothing can be kept, all is compiled.
 * NODE_COMPILE_CACHE names another place, and NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 *
 * Node keeps of a file what the first process compiled that loaded it. So each command has a directory: another calls
 * other functions of the files that both load.
 */
export function keepCompiled(env: NodeJS.ProcessEnv, command: string): void {
  const directory = cacheDirectory(env);
  if (directory !== undefined) enableCompileCache?.(join(directory, command));
}

export function cacheDirectory({
  XDG_CACHE_HOME: given = '',
}: NodeJS.ProcessEnv): string | undefined {
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

/** Where kept TDs are written down: a directory of one user, which nobody else may write to. */
import { lstatSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { errnoOf, otherFileErrno } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { makePrivateDirectory } from '../files/private-directory.ts';

export interface StateDirectory {
  /** Absolute. */
  readonly path: string;
  /** The directory of its TDs. */
  readonly tdsPath: string;
  /** The directory of one TD. */
  tdPath(name: string): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whoever starts a process with another working directory or environment hands this on in it. */
export const stateDirectoryVariable = 'TDCTL_STATE_DIR';

/** Where it is, whether it is there or not. */
export function stateDirectoryPath(env: Environment): string {
  const named = env[stateDirectoryVariable];
  if (named) return resolve(named);
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return '/run/tdctl';
  // One that is not absolute is to be ignored (XDG Base Directory Specification).
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime?.startsWith('/')) return join(runtime, 'tdctl');
  return `/tmp/tdctl-${uid}`;
}

/**
 * @param create makes it where it is not there. Without that, one that is not there has no TDs.
 * @throws TdctlError TDCTL_E_STATE_DIRECTORY where it cannot be made, or others could have put things into it.
 */
export async function openStateDirectory(
  env: Environment,
  { create }: { readonly create: boolean },
): Promise<StateDirectory> {
  const path = stateDirectoryPath(env);
  const tdsPath = join(path, 'td');
  if (create) {
    make(path);
    refuseWhatOthersWrite(path);
    make(tdsPath);
  } else {
    refuseWhatOthersWrite(path);
  }
  refuseWhatOthersWrite(tdsPath);
  return { path, tdsPath, tdPath: (name) => `${tdsPath}/${name}` };
}

function make(path: string): void {
  try {
    // A link that leads to no directory is told as what it is.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) makePrivateDirectory(path);
  } catch (cause) {
    throw notMade(path, cause);
  }
}

/**
 * @returns whether it is there.
 * @throws TdctlError TDCTL_E_STATE_DIRECTORY.
 */
export function refuseWhatOthersWrite(path: string): boolean {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw refused(path, reasonOf(cause), cause);
  }
  if (stats === undefined) return false;
  const problem = problemOf(stats);
  if (problem !== undefined) throw refused(path, problem);
  return true;
}

interface Problem {
  readonly message: string;
  readonly hint: string;
}

const elsewhere = `name another directory in ${stateDirectoryVariable}`;
const othersWriteBits = 0o022;

/** Root may look into the directories of others. */
function problemOf(stats: Stats): Problem | undefined {
  const user = process.geteuid?.() ?? 0;
  if (stats.isSymbolicLink()) {
    return {
      message: 'this is a symbolic link, and whoever made it could lead it elsewhere',
      hint: `${elsewhere}, or remove the link`,
    };
  }
  if (!stats.isDirectory()) {
    return { message: 'this is no directory', hint: `${elsewhere}, or remove the file` };
  }
  if (stats.uid !== user && user !== 0) {
    return {
      message: `this directory belongs to user ${stats.uid}, and you are user ${user}`,
      hint: elsewhere,
    };
  }
  if ((stats.mode & othersWriteBits) !== 0) {
    return {
      message: `users other than its owner may write to this directory (mode ${(stats.mode & 0o7777).toString(8)})`,
      hint: `\`chmod 700\` it once you have looked at what is in it, or ${elsewhere}`,
    };
  }
  return undefined;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not go there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is mounted read-only',
  ENOENT: 'a directory above it does not exist',
  ENOTDIR: 'a directory above it is a file',
  ENOSPC: 'no space is left there',
  EDQUOT: 'no space is left there for this user',
  ENAMETOOLONG: 'the name is longer than the file system allows',
};

function reasonOf(cause: unknown): Problem {
  const errno = errnoOf(cause);
  return { message: reasons[errno ?? ''] ?? otherFileErrno(errno), hint: elsewhere };
}

function notMade(path: string, cause: unknown): TdctlError {
  const { message, hint } = reasonOf(cause);
  return refused(path, { message: `the directory cannot be made: ${message}`, hint }, cause);
}

export function refused(path: string, problem: Problem, cause?: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_STATE_DIRECTORY',
    op: 'use the directory of kept TDs',
    place: sanitize(path),
    ...problem,
    cause,
  });
}

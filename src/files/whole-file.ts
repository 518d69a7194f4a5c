/**
 * A file that is written whole or not at all: its content goes into a temporary file beside it, which
 * then takes its name. Whoever reads the name meanwhile has the old file, and keeps it when writing fails.
 */
import { accessSync, constants, lstatSync } from 'node:fs';
import { TdctlError } from '../errors/index.ts';
import { type FileLock, takeLocks } from './lock.ts';
import { existsAlready, notWritable, type OutputFile, writtenByAnother } from './not-writable.ts';
import { StreamFile } from './stream-file.ts';
import { type FileTarget, findTarget } from './target.ts';
import { makeTemporary, removeLeftovers, type Temporary } from './temporary.ts';

export interface WholeFileOptions extends OutputFile {
  /** What becomes of a file that is there. */
  readonly existing: 'replace' | 'refuse';
  /** What to do about a file that is there, where it is refused. */
  readonly existsHint?: string;
  /** Ends the wait for a reader of a FIFO. */
  readonly signal?: AbortSignal | undefined;
}

/** A place for a file, taken before the work that makes its content, so that a mistake in its path costs no work. */
export interface WholeFile {
  /**
   * Writes the file, and gives up the place.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_EXISTS: the file is what it was before.
   */
  put(content: string | Buffer): Promise<void>;
  /** Gives up the place, if it has not been given up. */
  release(): void;
}

/** @throws TdctlError as prepareWholeFile() and put(). */
export async function writeWholeFile(
  options: WholeFileOptions,
  content: string | Buffer,
): Promise<void> {
  const file = await prepareWholeFile(options);
  await file.put(content);
}

/**
 * @throws TdctlError TDCTL_E_NOT_WRITABLE; TDCTL_E_EXISTS; TDCTL_E_BUSY where another process is writing
 * the file; TDCTL_E_INTERRUPTED.
 */
export async function prepareWholeFile(options: WholeFileOptions): Promise<WholeFile> {
  return await told(options, async () => {
    const target = findTarget(options.path);
    return target.kind === 'file' ? await placeOf(options, target) : await streamTo(options);
  });
}

/** What is no regular file cannot be replaced, so it is written as it is. */
async function streamTo({ path, what, signal }: WholeFileOptions): Promise<WholeFile> {
  let failure: TdctlError | undefined;
  const onFailure = (error: TdctlError) => {
    failure = error;
  };
  const stream = await StreamFile.open({
    ...{ path, what, signal, onFailure },
    existing: 'append',
    flush: 'idle',
  });
  return {
    async put(content) {
      stream.writeBytes(Buffer.from(content));
      await stream.end();
      if (failure !== undefined) throw failure;
    },
    release: () => void stream.end(),
  };
}

async function placeOf(options: WholeFileOptions, target: FileTarget): Promise<WholeFile> {
  refuseTarget(options, target);
  const { nameKey, inodeKey } = target;
  const lock = await takeLocks(inodeKey === undefined ? [nameKey] : [nameKey, inodeKey]);
  if (lock === undefined) throw writtenByAnother(options);
  try {
    removeLeftovers(target.path);
    // Nothing of ours stays in the directory while the work goes on: a killed process leaves nothing.
    makeTemporary(target).remove();
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    put: (content) => told(options, async () => replace(options, { target, lock, content })),
    release: lock.release,
  };
}

function refuseTarget(options: WholeFileOptions, { path, stats }: FileTarget): void {
  // A link that leads nowhere may have been put there by somebody who wants a file made elsewhere.
  const refused = options.existing === 'refuse' && (stats !== undefined || isLink(options.path));
  if (refused) throw existsAlready(options, options.existsHint);
  if (stats === undefined) return;
  if (stats.isDirectory()) throw Object.assign(new Error('EISDIR'), { code: 'EISDIR' });
  // Renaming over a file asks only the directory. Who protects a file means the file.
  accessSync(path, constants.W_OK);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

interface Replacing {
  readonly target: FileTarget;
  readonly lock: FileLock;
  readonly content: string | Buffer;
}

function replace(options: WholeFileOptions, { target, lock, content }: Replacing): void {
  let temporary: Temporary | undefined;
  try {
    temporary = makeTemporary(target);
    temporary.fill(content);
    if (options.existing === 'replace') temporary.replaceTarget();
    else if (!temporary.becomeTarget()) throw existsAlready(options, options.existsHint);
  } finally {
    temporary?.remove();
    lock.release();
  }
}

async function told<Result>(file: OutputFile, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof TdctlError ? cause : notWritable(file, cause);
  }
}

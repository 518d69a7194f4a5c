/** What keeps a file from being written, in words. */
import { errnoOf, fileErrnos, otherFileErrno } from '../errors/errno.ts';
import { TdctlError, type TdctlErrorCode } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';

/** What is written where, as errors call it. */
export interface OutputFile {
  readonly path: string;
  /** The content in a word, as in `the trace cannot be written`: `trace`. */
  readonly what: string;
}

interface Reason {
  readonly means: string;
  readonly hint: string;
}

const elsewhere = 'name a file in a directory that exists and that you may write to';
const another = 'choose another name';
const seeDisk = 'see whether the disk is full: `df -h`';
const noRight: Reason = { means: 'this user may not write there', hint: elsewhere };
const noSpace: Reason = { means: 'no space is left there', hint: seeDisk };
const tooManyOpen: Reason = {
  means: 'too many files are open',
  hint: 'raise the limit: `ulimit -n`',
};

const reasons: Readonly<Record<string, Reason>> = {
  EACCES: noRight,
  EPERM: noRight,
  EROFS: { means: 'the file system is mounted read-only', hint: elsewhere },
  ENOENT: { means: 'its directory does not exist', hint: elsewhere },
  ENOTDIR: { means: 'its directory is not a directory', hint: elsewhere },
  EISDIR: { means: 'this is a directory', hint: 'name a file in it' },
  ELOOP: { means: fileErrnos.ELOOP, hint: another },
  ENAMETOOLONG: { means: fileErrnos.ENAMETOOLONG, hint: another },
  EBUSY: { means: 'the file is a mount point, and cannot be replaced', hint: another },
  ENOSPC: noSpace,
  EDQUOT: noSpace,
  EFBIG: { means: 'a file may not become so large', hint: 'raise the limit: `ulimit -f`' },
  EIO: { means: fileErrnos.EIO, hint: 'see what the kernel says: `dmesg`' },
  EMFILE: tooManyOpen,
  ENFILE: tooManyOpen,
  EPIPE: { means: 'its reader has gone', hint: 'keep the reader until tdctl has ended' },
  ENXIO: { means: 'nobody reads it', hint: 'start its reader first' },
  ETIMEDOUT: { means: 'its reader takes nothing', hint: 'see what the reader waits for' },
};

export function notWritable({ path, what }: OutputFile, cause: unknown): TdctlError {
  const errno = errnoOf(cause);
  const { means, hint } = reasons[errno ?? ''] ?? {
    means: otherFileErrno(errno),
    hint: elsewhere,
  };
  return outputError({
    code: 'TDCTL_E_NOT_WRITABLE',
    file: { path, what },
    message: `the ${what} cannot be written: ${means}`,
    hint,
    cause,
  });
}

export function existsAlready(
  file: OutputFile,
  hint = `${another}, or replace it with --force`,
): TdctlError {
  return outputError({
    code: 'TDCTL_E_EXISTS',
    file,
    message: 'there is a file of that name already, and it was left as it is',
    hint,
  });
}

export function writtenByAnother(file: OutputFile): TdctlError {
  return outputError({
    code: 'TDCTL_E_BUSY',
    file,
    message: `another tdctl is writing this file, so the ${file.what} was not begun`,
    hint: 'choose another name, or wait until the other command has ended',
  });
}

export function interruptedWaiting(file: OutputFile): TdctlError {
  return outputError({
    code: 'TDCTL_E_INTERRUPTED',
    file,
    message: 'interrupted while nobody read the pipe yet; nothing was begun',
  });
}

function outputError({
  code,
  file: { path, what },
  ...told
}: {
  readonly code: TdctlErrorCode;
  readonly file: OutputFile;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: unknown;
}): TdctlError {
  return new TdctlError({ code, op: `write the ${what}`, place: sanitize(path), ...told });
}

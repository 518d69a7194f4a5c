import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { refuseOtherKind } from '../documents/other-kind.ts';
import { pathInWords, standardStream } from '../documents/path-in-words.ts';
import { readOpenUpTo, readUpTo } from '../documents/read-bytes.ts';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError, type TdctlErrorCode } from '../errors/index.ts';
import { firmwareInvalid } from './firmware-error.ts';

/** Real images have up to 16 MiB. */
const maxImageBytes = 64 * 1024 * 1024;

/** Reads a regular file of 1 byte to 64 MiB. `what` names it in the errors. */
export async function readImageFile(options: {
  readonly path: string;
  readonly what: 'firmware image' | 'variable store';
}): Promise<Uint8Array> {
  const { path, what } = options;
  if (path === standardStream) return readFromPipe(what);
  const handle = await openImage(path, what);
  try {
    await checkKind(handle, path, what);
    const bytes = readOpenUpTo(handle.fd, maxImageBytes);
    if (isUtf8(bytes.subarray(0, 4096)))
      refuseOtherKind(bytes.toString('utf8', 0, 4096), path, [what]);
    return bytes;
  } catch (cause) {
    if (cause instanceof TdctlError) throw cause;
    throw readError({
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message: `the ${what} could not be read`,
      cause,
    });
  } finally {
    await handle.close();
  }
}

async function readFromPipe(what: string): Promise<Uint8Array> {
  const bytes = await readUpTo(standardStream, maxImageBytes + 1);
  checkSize(bytes.length, pathInWords(standardStream), what);
  return bytes;
}

async function openImage(path: string, what: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw readError({
        code: 'TDCTL_E_NOT_FOUND',
        path,
        message: `the ${what} does not exist`,
        hint: 'check the path; in a TrustDomain file it is relative to that file',
        cause,
      });
    }
    throw readError({
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message:
        errno === 'EACCES'
          ? `this user may not read the ${what}`
          : `the ${what} could not be opened`,
      ...(errno === 'EACCES'
        ? { hint: 'check the permissions of the file and of the folders above it' }
        : {}),
      cause,
    });
  }
}

async function checkKind(handle: FileHandle, path: string, what: string): Promise<void> {
  const stat = await handle.stat();
  if (!stat.isFile()) {
    throw readError({
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message: stat.isDirectory()
        ? `the ${what} is a directory`
        : `the ${what} is not a regular file`,
      hint: 'give the path of an image file, such as /usr/share/ovmf/OVMF.fd',
    });
  }
  checkSize(stat.size, path, what);
}

function checkSize(size: number, path: string, what: string): void {
  if (size === 0) {
    throw firmwareInvalid({
      place: path,
      message: `the ${what} is empty`,
      hint: 'fetch or build it again',
    });
  }
  if (size > maxImageBytes) {
    throw firmwareInvalid({
      place: path,
      message: `the ${what} has ${size} bytes, and none is larger than 64 MiB`,
      hint: 'check the path: this may be a disk image',
    });
  }
}

function readError(options: {
  readonly code: TdctlErrorCode;
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: unknown;
}): TdctlError {
  const { path, ...rest } = options;
  return new TdctlError({ op: 'read firmware', place: path, ...rest });
}

import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError, type TdctlErrorCode } from '../errors/index.ts';
import { refuseOtherKind } from './other-kind.ts';
import { pathInWords, standardStream } from './path-in-words.ts';
import { formatBytes } from './quantity.ts';
import { readOpenUpTo, readUpTo } from './read-bytes.ts';

/** What an image is, as far as reading it goes. */
export interface ImageKind {
  /** Its name in the errors: `firmware image`. */
  readonly what: string;
  readonly op: string;
  /** `/usr/share/ovmf/OVMF.fd`. */
  readonly example: string;
  readonly largestBytes: number;
  /** For a file of a size that no such image has. */
  readonly invalidCode: TdctlErrorCode;
}

/**
 * Reads a regular file of one byte or more.
 *
 * @throws TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE, and `invalidCode` for one that is empty or too large.
 */
export async function readImageFile(path: string, kind: ImageKind): Promise<Uint8Array> {
  if (path === standardStream) return readFromPipe(kind);
  const handle = await openImage(path, kind);
  try {
    await checkKind(handle, path, kind);
    const bytes = readOpenUpTo(handle.fd, kind.largestBytes);
    if (isUtf8(bytes.subarray(0, 4096)))
      refuseOtherKind(bytes.toString('utf8', 0, 4096), path, [kind.what]);
    return bytes;
  } catch (cause) {
    if (cause instanceof TdctlError) throw cause;
    throw readError(kind, {
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message: `the ${kind.what} could not be read`,
      cause,
    });
  } finally {
    await handle.close();
  }
}

async function readFromPipe(kind: ImageKind): Promise<Uint8Array> {
  const bytes = await readUpTo(standardStream, kind.largestBytes + 1);
  checkSize(bytes.length, pathInWords(standardStream), kind);
  return bytes;
}

async function openImage(path: string, kind: ImageKind): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw readError(kind, {
        code: 'TDCTL_E_NOT_FOUND',
        path,
        message: `the ${kind.what} does not exist`,
        hint: 'check the path; in a TrustDomain file it is relative to that file',
        cause,
      });
    }
    throw readError(kind, {
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message:
        errno === 'EACCES'
          ? `this user may not read the ${kind.what}`
          : `the ${kind.what} could not be opened`,
      ...(errno === 'EACCES'
        ? { hint: 'check the permissions of the file and of the folders above it' }
        : {}),
      cause,
    });
  }
}

async function checkKind(handle: FileHandle, path: string, kind: ImageKind): Promise<void> {
  const stat = await handle.stat();
  if (!stat.isFile()) {
    throw readError(kind, {
      code: 'TDCTL_E_NOT_READABLE',
      path,
      message: stat.isDirectory()
        ? `the ${kind.what} is a directory`
        : `the ${kind.what} is not a regular file`,
      hint: `give the path of an image file, such as ${kind.example}`,
    });
  }
  checkSize(stat.size, path, kind);
}

function checkSize(size: number, path: string, kind: ImageKind): void {
  if (size === 0) {
    throw readError(kind, {
      code: kind.invalidCode,
      path,
      message: `the ${kind.what} is empty`,
      hint: 'fetch or build it again',
    });
  }
  if (size > kind.largestBytes) {
    throw readError(kind, {
      code: kind.invalidCode,
      path,
      message: `the ${kind.what} has ${size} bytes, and none is larger than ${formatBytes(BigInt(kind.largestBytes))}`,
      hint: 'check the path: this may be a disk image',
    });
  }
}

function readError(
  { op }: ImageKind,
  options: {
    readonly code: TdctlErrorCode;
    readonly path: string;
    readonly message: string;
    readonly hint?: string;
    readonly cause?: unknown;
  },
): TdctlError {
  const { path, ...rest } = options;
  return new TdctlError({ op, place: path, ...rest });
}

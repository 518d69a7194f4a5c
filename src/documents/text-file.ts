/** Reads the bytes of a file as text, and says what can go wrong before there is any text. */

import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, fileErrnos, otherFileErrno } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { formatPlace } from './finding.ts';
import { nearest } from './nearest.ts';
import { refuseOtherKind } from './other-kind.ts';
import { pathInWords } from './path-in-words.ts';
import { formatBytes } from './quantity.ts';
import { chunksOf, readUpTo } from './read-bytes.ts';

const ofADocument = { bytes: 1024 * 1024, because: 'has a few lines' };

export interface TextFileKind {
  /** The kind of the file: `TrustDomain`. */
  readonly kind: string;
  /** Further kinds that the reader takes, as `refuseOtherKind` calls them. */
  readonly also?: readonly string[];
  /** A clause that says how to get such a file at a path. */
  readonly starter: (path: string) => string;
  /** The largest size, and a clause about such a file that says why. The default is 1MiB. */
  readonly largest?: { readonly bytes: number; readonly because: string };
}

/** @throws TDCTL_E_NOT_FOUND, _NOT_READABLE, _INTERRUPTED; TDCTL_E_SPEC_INVALID where it is no text. */
export async function readTextFile(path: string, kind: TextFileKind): Promise<string> {
  const bytes = await readBytes(path, kind);
  if (bytes.length > (kind.largest ?? ofADocument).bytes) throw tooLarge(path, bytes, kind);
  if (!isUtf8(bytes)) throw notUtf8(path, bytes, { kind, linesBefore: 0 });
  const text = bytes.toString('utf8');
  refuseOtherKind(text, path, kindsIn(kind));
  return text;
}

function kindsIn({ kind, also = [] }: TextFileKind): readonly string[] {
  return [kind, ...also];
}

/** A line of text that someone wrote or that a program printed is shorter. */
const mostLineBytes = 1024 * 1024;

/**
 * Gives the lines of a file as they come, some at a time, and holds no more of it than that. LF and CRLF end
 * a line.
 *
 * @throws as {@link readTextFile}; TDCTL_E_SPEC_INVALID also for a line without end.
 */
export async function* readTextLines(
  path: string,
  kind: TextFileKind,
): AsyncGenerator<readonly string[]> {
  let [bytesRead, linesRead] = [0, 0];
  let rest: Buffer[] = [];
  const lines = (block: Buffer): readonly string[] => {
    if (!isUtf8(block)) throw notUtf8(path, block, { kind, linesBefore: linesRead });
    const text = block.toString('utf8');
    if (linesRead === 0) refuseOtherKind(text, path, kindsIn(kind));
    const found = text.split(/\r?\n/);
    linesRead += found.length;
    return found;
  };
  for await (const chunk of readable(path, kind)) {
    bytesRead += chunk.length;
    if (bytesRead > (kind.largest ?? ofADocument).bytes) throw tooLarge(path, chunk, kind);
    const end = chunk.lastIndexOf(0x0a);
    rest.push(end === -1 ? chunk : chunk.subarray(0, end));
    if (end === -1) {
      const isEndless = rest.reduce((sum, { length }) => sum + length, 0) > mostLineBytes;
      if (isEndless) throw endlessLine(path, chunk, { kind, line: linesRead + 1 });
      continue;
    }
    yield lines(Buffer.concat(rest));
    rest = [chunk.subarray(end + 1)];
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield lines(last);
}

/** The bytes as they come, for who makes text of them itself. @throws as {@link readTextFile}, but for what is no text. */
export async function* readable(path: string, kind: TextFileKind): AsyncGenerator<Buffer> {
  try {
    yield* chunksOf(path);
  } catch (cause) {
    throw cause instanceof TdctlError ? cause : await unreadable(path, cause, kind);
  }
}

const opOf = ({ kind }: TextFileKind) => `read the ${kind} file`;

async function readBytes(path: string, kind: TextFileKind): Promise<Buffer> {
  try {
    // One byte more than may be: /dev/zero is too large a file, and not an endless one.
    return await readUpTo(path, (kind.largest ?? ofADocument).bytes + 1);
  } catch (cause) {
    throw cause instanceof TdctlError ? cause : await unreadable(path, cause, kind);
  }
}

async function unreadable(path: string, cause: unknown, kind: TextFileKind): Promise<TdctlError> {
  const errno = errnoOf(cause);
  const shown = pathInWords(path);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return notFound(path, cause, kind);
  if (errno === 'EISDIR') return isDirectory(path, cause, kind);
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: opOf(kind),
    message: `the file cannot be read: ${meaningOf(errno)}`,
    place: shown,
    hint: errno === 'EACCES' || errno === 'EPERM' ? `see who may: ls -l ${shown}` : undefined,
    cause,
  });
}

async function isDirectory(path: string, cause: unknown, kind: TextFileKind): Promise<TdctlError> {
  const names = (await namesIn(path)) ?? [];
  const specs = names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: opOf(kind),
    message: `this is a directory; a ${kind.kind} is one file`,
    place: pathInWords(path),
    hint:
      specs[0] === undefined
        ? `name a file; ${kind.starter(join(path, 'td.yaml'))}`
        : `name one of its files, such as ${sanitize(join(path, specs[0]))}`,
    cause,
  });
}

const errnoMeanings: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ...fileErrnos,
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENXIO: 'it is a socket or a device without a driver',
  EAGAIN: 'the device has nothing to read now',
};

function meaningOf(errno: string | undefined): string {
  return errnoMeanings[errno ?? ''] ?? otherFileErrno(errno);
}

async function notFound(path: string, cause: unknown, kind: TextFileKind): Promise<TdctlError> {
  const directory = dirname(path);
  const names = await namesIn(directory);
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: opOf(kind),
    message:
      names === undefined
        ? `there is no such file, and ${sanitize(directory)} is not a directory that can be read`
        : 'there is no such file',
    place: pathInWords(path),
    hint: names === undefined ? undefined : otherName(path, names, kind),
    cause,
  });
}

function otherName(path: string, names: readonly string[], kind: TextFileKind): string {
  const meant = nearest(basename(path), names) ?? nearestByStem(path, names);
  if (meant === undefined) return kind.starter(path);
  const directory = dirname(path);
  return `did you mean ${sanitize(directory === '.' ? meant : join(directory, meant))}?`;
}

/** Finds `td.yml` for `td.yaml`, and either for `td`. */
function nearestByStem(path: string, names: readonly string[]): string | undefined {
  const stem = (name: string) => basename(name).replace(/\.(ya?ml|json)$/, '');
  return names.find((name) => /\.(ya?ml|json)$/.test(name) && stem(name) === stem(path));
}

/** The names are undefined when there is no such directory, or this user may not list it. */
async function namesIn(directory: string): Promise<string[] | undefined> {
  try {
    return await readdir(directory);
  } catch {
    return undefined;
  }
}

function tooLarge(path: string, bytes: Buffer, kind: TextFileKind): TdctlError {
  const { bytes: most, because } = kind.largest ?? ofADocument;
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: opOf(kind),
    message: `the file is larger than ${formatBytes(BigInt(most))}; a ${kind.kind} file ${because}`,
    place: pathInWords(path),
    hint: binaryHint(bytes),
  });
}

function endlessLine(
  path: string,
  bytes: Buffer,
  { kind, line }: { readonly kind: TextFileKind; readonly line: number },
): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: opOf(kind),
    message: `line ${line} is longer than ${formatBytes(BigInt(mostLineBytes))}: this is no ${kind.kind} file`,
    place: pathInWords(path),
    hint: binaryHint(bytes),
  });
}

function binaryHint(bytes: Buffer): string | undefined {
  return bytes.includes(0)
    ? 'this is a binary file: was a firmware image or a device named?'
    : undefined;
}

function notUtf8(
  path: string,
  bytes: Buffer,
  { kind, linesBefore }: { readonly kind: TextFileKind; readonly linesBefore: number },
): TdctlError {
  const found = firstBadByte(bytes);
  const place = { ...found, line: found.line + linesBefore };
  const isUtf16 =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: opOf(kind),
    message: 'the file is not UTF-8 text',
    place: formatPlace(path, place),
    details: [
      `${formatPlace(path, place)}: ${isUtf16 ? 'this is UTF-16' : 'these bytes are no UTF-8 character'}`,
    ],
    hint: bytes.includes(0) && !isUtf16 ? 'this is a binary file' : 'save the file as UTF-8',
  });
}

function firstBadByte(bytes: Buffer): { line: number; column: number; length: number } {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const lineBytes = bytes.subarray(start, end);
    if (!isUtf8(lineBytes) || newline === -1) {
      const column = lineBytes.toString('utf8').indexOf('\uFFFD') + 1;
      return { line, column: Math.max(1, column), length: 1 };
    }
    line += 1;
    start = end + 1;
  }
}

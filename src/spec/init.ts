/** The work of `tdctl init`: names, paths and the one write that never overwrites. */

import { existsSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { dnsLabel, dnsLabelProblem, nameFromFile } from '../documents/name.ts';
import { quote } from '../documents/wording.ts';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { schemaFile, schemaReference } from './schema-file.ts';
import { trustDomainTemplate } from './template.ts';

const op = 'write the TrustDomain file';

export interface InitRequest {
  /** A path, or `-` for standard output. */
  readonly file: string;
  readonly name?: string | undefined;
  /** The path is relative to the working directory. */
  readonly firmware: string;
}

export interface InitResult {
  /** The template, when it goes to standard output. */
  readonly text?: string;
  /** Notes for the person: what was written, what to look at, what to do next. */
  readonly notes: readonly string[];
}

/** @throws TDCTL_E_EXISTS, TDCTL_E_NOT_FOUND, TDCTL_E_NOT_WRITABLE, TDCTL_E_USAGE */
export async function writeTemplate(request: InitRequest): Promise<InitResult> {
  const { file } = request;
  if (file === '-') return { text: templateFor(request, process.cwd()), notes: [] };
  const text = templateFor(request, dirname(resolve(file)));
  await writeNew(file, text);
  const isMissing = !existsSync(request.firmware);
  return {
    notes: [
      `wrote ${sanitize(file)}`,
      ...(isMissing ? [`firmware: there is no ${sanitize(request.firmware)}; name yours`] : []),
      `next: tdctl run ${shellWord(sanitize(file))} --until runnable`,
    ],
  };
}

function templateFor(request: InitRequest, directory: string): string {
  const name = request.name ?? nameFromFile(request.file === '-' ? 'td' : basename(request.file));
  if (!dnsLabel.test(name)) {
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op,
      message: `--name ${dnsLabelProblem}; this is ${quote(sanitize(name))}`,
      hint: `for example: --name ${nameFromFile(name)}`,
    });
  }
  const schemaPath = schemaFile();
  const schema =
    schemaPath && schemaReference({ schemaPath, directory, projectDirectory: process.cwd() });
  return trustDomainTemplate({ name, firmware: firmwareFrom(request.firmware, directory), schema });
}

/** `spec.firmware` is relative to the file; `--firmware` is relative to where the person stands. */
function firmwareFrom(path: string, directory: string): string {
  if (isAbsolute(path)) return path;
  return relative(directory, resolve(path));
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOSPC' || errno === 'EDQUOT' || errno === 'EIO') await removePartial(file);
    throw notWritten(file, errno, cause);
  }
}

/** These errors come after the file was made, so what is there is ours and incomplete. */
async function removePartial(file: string): Promise<void> {
  await unlink(file).catch(() => undefined);
}

function notWritten(file: string, errno: string | undefined, cause: unknown): TdctlError {
  const shown = sanitize(file);
  if (errno === 'EEXIST') {
    return new TdctlError({
      code: 'TDCTL_E_EXISTS',
      op,
      message: 'the file exists already and was left as it is',
      place: shown,
      hint: `choose another name: tdctl init ${shellWord(sanitize(freeName(file)))}`,
      cause,
    });
  }
  const directory = sanitize(dirname(file));
  if (errno === 'ENOENT') {
    return new TdctlError({
      code: 'TDCTL_E_NOT_FOUND',
      op,
      message: `the file cannot be written: there is no directory ${directory}`,
      place: shown,
      hint: `make it first: mkdir -p ${shellWord(directory)}`,
      cause,
    });
  }
  return new TdctlError({
    code: 'TDCTL_E_NOT_WRITABLE',
    op,
    message: `the file cannot be written: ${meaningOf(errno, directory)}`,
    place: shown,
    hint: 'choose another place, or `tdctl init -` to write to standard output',
    cause,
  });
}

function meaningOf(errno: string | undefined, directory: string): string {
  if (errno === 'EACCES' || errno === 'EPERM') return `this user may not write to ${directory}`;
  if (errno === 'EROFS') return `${directory} is on a file system that is mounted read-only`;
  if (errno === 'ENOTDIR') return `${directory} is not a directory`;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') return `there is no space left in ${directory}`;
  if (errno === 'ENAMETOOLONG') return 'the name is longer than the file system allows';
  return `the system answered ${errno ?? 'that the name is not one'}`;
}

/** Gives `td-2.yaml` next to `td.yaml`, or the next number that is free. */
function freeName(file: string): string {
  const extension = extname(file);
  const stem = basename(file, extension);
  for (let number = 2; ; number++) {
    const candidate = join(dirname(file), `${stem}-${number}${extension}`);
    if (!existsSync(candidate)) return candidate;
  }
}

function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

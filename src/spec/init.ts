/** The work of `tdctl init`: names, paths and the one write that never overwrites. */

import { existsSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { dnsLabel, dnsLabelProblem, nameFromFile } from '../documents/name.ts';
import { shellWord } from '../documents/shell-word.ts';
import { quote } from '../documents/wording.ts';
import { TdctlError } from '../errors/index.ts';
import { sanitize } from '../errors/sanitize.ts';
import { writeWholeFile } from '../files/index.ts';
import { schemaFile, schemaReference } from './schema-file.ts';
import { trustDomainTemplate } from './template.ts';

const op = 'write the TrustDomain file';

export interface InitRequest {
  /** A path, or `-` for standard output. */
  readonly file: string;
  readonly name?: string | undefined;
  /** Whether a file of that name is replaced. */
  readonly force?: true | undefined;
  /** The path is relative to the working directory. */
  readonly firmware: string;
  readonly engine: 'builtin' | 'qemu';
}

export interface InitResult {
  /** The template, when it goes to standard output. */
  readonly text?: string;
  /** Notes for the person: what was written, what to look at, what to do next. */
  readonly notes: readonly string[];
}

/** @throws TDCTL_E_EXISTS, TDCTL_E_BUSY, TDCTL_E_NOT_FOUND, TDCTL_E_NOT_WRITABLE, TDCTL_E_USAGE */
export async function writeTemplate(request: InitRequest): Promise<InitResult> {
  const { file } = request;
  if (file === '-') return { text: templateFor(request, process.cwd()), notes: [] };
  refuseOtherForms(file);
  const text = templateFor(request, dirname(resolve(file)));
  await writeNew(file, { text, force: request.force === true });
  const isMissing = !existsSync(request.firmware);
  return {
    notes: [
      `wrote ${sanitize(file)}`,
      ...(isMissing ? [`firmware: there is no ${sanitize(request.firmware)}; name yours`] : []),
      next(request),
    ],
  };
}

/** A TD of QEMU runs where there is a KVM for it. */
function next({ file, engine }: InitRequest): string {
  const word = shellWord(sanitize(file));
  return engine === 'qemu'
    ? `next: tdctl plan ${word} --host sim`
    : `next: tdctl run ${word} --host sim --until runnable`;
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
  const firmware = firmwareFrom(request.firmware, directory);
  return trustDomainTemplate({ name, firmware, schema, engine: request.engine });
}

/** The template is YAML for its comments, which JSON has no place for. */
function refuseOtherForms(file: string): void {
  const extension = extname(file);
  if (extension.toLowerCase() !== '.json') return;
  const other = `${file.slice(0, -extension.length)}.yaml`;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op,
    message: 'the file explains each field in a comment, and JSON has none',
    place: sanitize(file),
    hint: `write YAML: tdctl init ${shellWord(sanitize(other))}; tdctl reads JSON files as well`,
  });
}

/** `spec.firmware` is relative to the file; `--firmware` is relative to where the person stands. */
function firmwareFrom(path: string, directory: string): string {
  if (isAbsolute(path)) return path;
  return relative(directory, resolve(path));
}

async function writeNew(
  file: string,
  { text, force }: { readonly text: string; readonly force: boolean },
): Promise<void> {
  requireDirectory(file);
  const existsHint = `choose another name: tdctl init ${shellWord(sanitize(freeName(file)))}, or replace it with --force`;
  await writeWholeFile(
    { path: file, what: 'TrustDomain file', existing: force ? 'replace' : 'refuse', existsHint },
    text,
  );
}

function requireDirectory(file: string): void {
  const directory = dirname(file);
  if (existsSync(directory)) return;
  throw new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op,
    message: `the file cannot be written: there is no directory ${sanitize(directory)}`,
    place: sanitize(file),
    hint: `make it first: mkdir -p ${shellWord(sanitize(directory))}`,
  });
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

/** What must hold after a run in which one call failed, or which ended there. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { errorKinds, exitCodes } from '../../src/errors/codes.ts';
import { parseTrace } from '../../src/trace/parse.ts';
import type { Output, SweepCase } from './cases.ts';
import type { Call, CallKind, Ended } from './interpose.ts';

/** The files of a run by their path; directories have none. */
export type Files = ReadonlyMap<string, string>;

export function filesOf(directory: string): Files {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .map((name) => join(directory, name))
      .filter((path) => existsSync(path) && statSync(path).isFile())
      .map((path) => [relative(directory, path), readFileSync(path, 'latin1')]),
  );
}

export interface Judged {
  readonly about: SweepCase;
  readonly ended: Ended;
  readonly before: Files;
  readonly after: Files;
  /** What the same run leaves when nothing fails. */
  readonly good: Files;
}

/** @returns what does not hold, in words. */
export function problems(judged: Judged): string[] {
  const { ended } = judged;
  const hits = ended.calls.filter(({ hit }) => hit);
  const killed = ended.signal === 'SIGKILL';
  return [
    ...exitProblems(judged, hits),
    ...judged.about.outputs.flatMap((output) => outputProblems(output, judged, hits)),
    ...leftovers(judged)
      .filter((path) => !(killed ? isMarked(path) : hits.some(({ kind }) => kind === 'unlink')))
      .map((path) => `${path} is left behind`),
    ...(killed ? [] : tdProblems(judged, hits)),
  ];
}

/** A call of these kinds may fail without a word: what it does is tidying, or is asked for safety. */
const dispensable: ReadonlySet<CallKind> = new Set(['unlink', 'open']);

function exitProblems({ about, ended, after }: Judged, hits: readonly Call[]): string[] {
  const stderr = after.get('stderr/text') ?? '';
  if (ended.signal !== null) return ended.signal === 'SIGKILL' ? [] : [`died of ${ended.signal}`];
  const defect = /^.*(Error: |TDCTL_E_INTERNAL|Warning: ).*$/m.exec(stderr);
  if (defect !== null) return [`more than a sentence is printed: ${defect[0]}`];
  const mayBeIgnored = hits.every((call) => dispensable.has(call.kind) || isDirectory(call, after));
  if (ended.exitCode === 0) return mayBeIgnored ? [] : ['exit 0 although a call failed'];
  // Nothing can be said on a standard error that is full.
  if (hits.some(({ path }) => path.startsWith('stderr/'))) {
    return ended.exitCode === 1 ? [] : [`exit ${ended.exitCode}, not 1`];
  }
  const errors = errorCodes(stderr, about);
  const isOfReading = hits.every(({ kind }) => kind === 'open');
  // An image that cannot be read is one of the findings of a plan, on standard output.
  if (isOfReading && ended.exitCode === exitCodes.findings) return [];
  if (errors.length !== 1) return [`${errors.length} errors are printed, not 1: ${stderr}`];
  const [code = ''] = errors;
  const expected = errorKinds[code as keyof typeof errorKinds]?.exitCode;
  return [
    ...(expected === ended.exitCode ? [] : [`exit ${ended.exitCode} with ${code}`]),
    ...(isOfReading || code === 'TDCTL_E_NOT_WRITABLE' ? [] : [`${code}: ${stderr}`]),
  ];
}

/** fsync of a directory is asked for safety after the file is whole. */
const isDirectory = ({ kind, path }: Call, after: Files): boolean =>
  kind === 'sync' && [...after.keys()].some((file) => file.startsWith(`${path}/`));

function errorCodes(stderr: string, { errors }: SweepCase): string[] {
  const lines = stderr.split('\n');
  if (errors !== 'json') {
    return lines
      .filter((line) => line.startsWith('error: '))
      .map((line) => /\[(TDCTL_E_\w+)\]$/.exec(line)?.[1] ?? `no code in: ${line}`);
  }
  return lines
    .filter((line) => line.startsWith('{"kind":"tdctl.Error"'))
    .map((line) => parsed(line).error.code);
}

// biome-ignore lint/suspicious/noExplicitAny: lines of several contracts, read for one field or two
function parsed(line: string): any {
  return JSON.parse(line);
}

function outputProblems(output: Output, judged: Judged, hits: readonly Call[]): string[] {
  const path = join('work', output.path);
  const { before, after, good, ended } = judged;
  const text = after.get(path);
  const isOld = text === before.get(path);
  if (ended.exitCode === 0 && isOld) return [`${path} is not written, exit 0`];
  if (isOld) return [];
  if (text === undefined) return [`${path} is gone`];
  if (output.stream !== true) {
    return isWhole(text, output, good.get(path) ?? '') ? [] : [`${path} is cut: ${tail(text)}`];
  }
  const mayBreakOff = ended.signal !== null || hits.some((hit) => hit.path === path);
  // A log goes on behind what is there.
  const old = before.get(path) ?? '';
  const written = text.startsWith(old) ? text.slice(old.length) : text;
  return streamProblems(written, output, mayBreakOff).map((problem) => `${path}: ${problem}`);
}

function isWhole(text: string, { form }: Pick<Output, 'form'>, good: string): boolean {
  if (form !== 'json') return lastLine(text) === lastLine(good);
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);
const tail = (text: string) => JSON.stringify(text.slice(-60));

/** A stream that broke off has whole lines all the same, and no end mark. */
function streamProblems(text: string, { form }: Output, mayBreakOff: boolean): string[] {
  if (text !== '' && !text.endsWith('\n')) return [`half a line at the end: ${tail(text)}`];
  const lines = text.split('\n').slice(0, -1);
  if (form !== 'trace') return lines.flatMap((line) => (isJson(line) ? [] : [`no JSON: ${line}`]));
  const records = [...parseTrace(lines)];
  const ends = records.some((line) => 'record' in line && line.record.kind === 'end');
  return [
    ...records.flatMap((line) => ('problem' in line ? [line.problem] : [])),
    ...(ends || mayBreakOff
      ? []
      : ['there is no end mark, and nothing kept it from being written']),
  ];
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

/** Files that are neither inputs nor outputs. */
function leftovers({ before, after, about }: Judged): string[] {
  const known = new Set(about.outputs.map(({ path }) => join('work', path)));
  const streams = ['stdout/text', 'stderr/text'];
  return [...after.keys()].filter(
    (path) => !before.has(path) && !known.has(path) && !streams.includes(path),
  );
}

/** By its name a person sees whose it is, and that it may go. */
const isMarked = (path: string) => /(^|\/)\.[^/]*tdctl[^/]*$/.test(path);

/** Every sink that was not hit, and knows of a TD, knows that it was taken down. */
function tdProblems({ about, after, before }: Judged, hits: readonly Call[]): string[] {
  if (about.makesTd !== true) return [];
  const sinks = [
    { path: 'stdout/text' },
    ...about.outputs.map(({ path }) => ({ path: join('work', path) })),
  ];
  return sinks
    .filter(({ path }) => !hits.some((hit) => hit.path === path))
    .filter(({ path }) => after.get(path) !== before.get(path))
    .flatMap(({ path }) => tdLeft(after.get(path) ?? '').map((problem) => `${path}: ${problem}`));
}

function tdLeft(text: string): string[] {
  const begun = /"(op|event)":"state\.entered"/.test(text);
  const ended = /"(op|event)":"td\.ended".*"outcome":"(\w+)"/.exec(text);
  const { open, slots } = stillOpen(text);
  return [
    ...(begun && ended === null ? ['the TD has begun and not ended'] : []),
    ...(ended?.[2] === 'leaked' ? ['the TD was leaked'] : []),
    ...open.map((file) => `${file} is still open`),
    ...slots,
  ];
}

/** The files of KVM that a trace does not see closed, and what a summary says of key slots. */
function stillOpen(text: string): { readonly open: string[]; readonly slots: string[] } {
  const open = new Set<string>();
  for (const line of parseTrace(text.split('\n'))) {
    if (!('record' in line)) continue;
    const { record } = line;
    if (record.kind === 'close') open.delete(record.object);
    if (record.kind === 'call') open.add(record.object);
  }
  const summary = /^\{\n/.test(text) && isJson(text) ? parsed(text) : undefined;
  const isKept = summary !== undefined && (summary.keySlots.used > 0 || summary.leakedKeySlots > 0);
  return { open: [...open], slots: isKept ? ['a key slot is not given back'] : [] };
}

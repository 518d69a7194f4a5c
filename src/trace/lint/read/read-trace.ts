/** Reads a trace in whichever form it is, a block of lines at a time. It never throws, whatever the text. */
import { TraceParser } from '../../parse.ts';
import { type HeaderRecord, readableVersions } from '../../record.ts';
import { type TracedStep, type TracedTrace, UnreadableLines } from '../traced.ts';
import type { RestOfLines, TraceLines } from './lines.ts';
import { lookThroughStrace, readStrace } from './strace.ts';

export type OpenedTrace =
  | { readonly trace: TracedTrace }
  /** A clause about a file that another tdctl wrote and this one does not read. */
  | { readonly otherFormat: string }
  | { readonly nothing: 'empty' | 'no trace' };

/** strace is read twice, because what a command was follows from what came after it. */
export async function openTrace(lines: TraceLines): Promise<OpenedTrace> {
  const blocks = lines()[Symbol.asyncIterator]();
  let linesBefore = 0;
  for (;;) {
    const { done, value } = await blocks.next();
    if (done === true) return { nothing: 'empty' };
    const first = value.find((line) => line.trim() !== '');
    if (first === undefined) {
      linesBefore += value.length;
      continue;
    }
    const all = { blocks: joined(value, blocks), linesBefore };
    const other = otherFormat(first);
    if (other !== undefined) return { otherFormat: other };
    if (ours.test(first)) return { trace: await readOurs(all) };
    const whole = await lookThroughStrace(all);
    return whole === undefined ? { nothing: 'no trace' } : { trace: readStrace(lines(), whole) };
  }
}

async function* joined<Item>(first: Item, rest: AsyncIterator<Item>): AsyncGenerator<Item> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}

/** The first line of ours; JSON of other kinds is no trace. */
const ours =
  /^(?:# tdctl (?:exec )?trace |# end: |-- last close of |\{"kind":"(?:header|open|call|close|seamcall|event|end)"|(?:P\d+\.)?T\d+ {2}(?:[a-z]+#\d+\.|open\())/;

async function readOurs({ blocks, linesBefore }: RestOfLines): Promise<TracedTrace> {
  const unreadable = new UnreadableLines();
  let header: HeaderRecord | undefined;
  let isWhole = false;
  let lastLine = 1;
  const parser = new TraceParser({ linesBefore });
  function* stepsOf(lines: ReturnType<TraceParser['add']>): Generator<TracedStep> {
    for (const parsed of lines) {
      if ('problem' in parsed) unreadable.add(parsed);
      else if (parsed.record.kind === 'header') header ??= parsed.record;
      else if (parsed.record.kind !== 'seamcall' && parsed.record.kind !== 'event') {
        const { line, record } = parsed;
        isWhole ||= record.kind === 'end';
        lastLine = line;
        yield { line, record };
      }
    }
  }
  function* read(lines: readonly string[]): Generator<TracedStep> {
    for (const line of lines) yield* stepsOf(parser.add(line));
  }
  const begin = await blocks.next();
  // The header is among them.
  const firstSteps = begin.done === true ? [] : [...read(begin.value)];
  async function* steps() {
    yield firstSteps;
    for await (const lines of blocks) yield read(lines);
    yield stepsOf(parser.end());
  }
  return {
    format: 'tdctl',
    header,
    steps: steps(),
    end: () => ({
      lastLine,
      unreadable: unreadable.first,
      otherLines: 0,
      tellsCloses: true,
      isWhole,
    }),
  };
}

const versionOf = /^(?:# tdctl (?:exec )?trace |\{"kind":"header","version":)(\d+)/;
const runBefore2 = /^(?:\{"kind":"ioctl",|\d+ KVM_\w+\()/;

function otherFormat(text: string): string | undefined {
  const version = versionOf.exec(text)?.[1];
  if (version !== undefined && !readableVersions.some((known) => String(known) === version)) {
    return `it is a trace of version ${version}, and this tdctl reads ${readableVersions.join(' and ')}`;
  }
  return runBefore2.test(text)
    ? 'it is the trace of a run as tdctl wrote it before version 2'
    : undefined;
}

/** Reads a trace in whichever form it is. It never throws, whatever the text. */
import { parseTrace } from '../../parse.ts';
import { type HeaderRecord, readableVersions } from '../../record.ts';
import type { TracedStep, TracedTrace, UnreadableLine } from '../traced.ts';
import { readStrace } from './strace.ts';

/** Returns undefined when the text has nothing of a trace in it. */
export function readTrace(lines: readonly string[]): TracedTrace | undefined {
  const trace = looksLikeOurs(lines) ? readOurs(lines) : readStrace(lines);
  return trace.steps.length === 0 && trace.header === undefined ? undefined : trace;
}

const ours =
  /^(?:# tdctl (?:exec )?trace |# end: |-- last close of |\{"kind":|(?:P\d+\.)?T\d+ {2}(?:[a-z]+#\d+\.|open\())/;

function looksLikeOurs(lines: readonly string[]): boolean {
  const first = lines.find((line) => line.trim() !== '');
  return first !== undefined && ours.test(first);
}

function readOurs(lines: readonly string[]): TracedTrace {
  const steps: TracedStep[] = [];
  const unreadable: UnreadableLine[] = [];
  let header: HeaderRecord | undefined;
  let isWhole = false;
  for (const parsed of parseTrace(lines)) {
    if ('problem' in parsed) unreadable.push(parsed);
    else if (parsed.record.kind === 'header') header = parsed.record;
    else if (parsed.record.kind !== 'seamcall' && parsed.record.kind !== 'event') {
      const { line, record } = parsed;
      isWhole ||= record.kind === 'end';
      steps.push({ line, record });
    }
  }
  return {
    format: 'tdctl',
    header,
    steps,
    unreadable,
    otherLines: 0,
    tellsCloses: true,
    isWhole,
  };
}

const versionOf = /^(?:# tdctl (?:exec )?trace |\{"kind":"header","version":)(\d+)/;
const runBefore2 = /^(?:\{"kind":"ioctl",|\d+ KVM_\w+\()/;

/** Gives a clause about a file that another tdctl wrote and this one does not read, or undefined. */
export function otherFormat(text: string): string | undefined {
  const version = versionOf.exec(text)?.[1];
  if (version !== undefined && !readableVersions.some((known) => String(known) === version)) {
    return `it is a trace of version ${version}, and this tdctl reads ${readableVersions.join(' and ')}`;
  }
  return runBefore2.test(text)
    ? 'it is the trace of a run as tdctl wrote it before version 2'
    : undefined;
}

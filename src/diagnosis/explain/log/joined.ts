/** A line together with those that may be parts of the same message: mail clients and terminals cut lines. */
import { type LogLine, readLine } from './layers.ts';
import type { Hit } from './line-reader.ts';

/** No message is spread over more. */
const MAX_LINES = 24;

export interface JoinedLines {
  readonly text: string;
  /** Where the line itself is in the text. */
  readonly start: number;
  readonly end: number;
  /** Where each line but the first begins, and whether it looks as if the one before had been cut there. */
  readonly breaks: ReadonlyMap<number, { readonly isCut: boolean }>;
  /** How far from the line itself the line at a place of the text is: -1 is the one before. */
  readonly distanceAt: (place: number) => number;
  /** How many lines there are before the line itself, and behind it. */
  readonly linesBefore: number;
  readonly linesAfter: number;
  /** The whole lines from one place to another. */
  readonly linesOver: (start: number, end: number) => string;
}

/** @param reach as many characters around the line a message of it may have */
export function joinedLines(hit: Hit, own: LogLine, reach: number): JoinedLines {
  const [text = ''] = own.texts;
  const before = linesBefore(hit, own, reach);
  const after = linesAfter(hit, own, { chars: reach });
  if (before.length === 0 && after.length === 0) return alone(text);
  const parts = [...before, text, ...after];
  const starts: number[] = [];
  let joined = '';
  for (const part of parts) {
    starts.push(joined.length);
    joined += part;
  }
  const indexAt = (place: number) => starts.findLastIndex((at) => at <= place);
  const start = starts[before.length] ?? 0;
  const lengthAt = (distance: number) => hit.at(distance)?.length ?? 0;
  return {
    text: joined,
    start,
    end: start + text.length,
    // A terminal cuts full lines only: what goes on behind is never longer.
    breaks: new Map(
      starts.slice(1).map((place, index) => {
        const distance = index - before.length;
        return [place, { isCut: lengthAt(distance) >= lengthAt(distance + 1) }] as const;
      }),
    ),
    linesBefore: before.length,
    linesAfter: after.length,
    distanceAt: (place) => indexAt(place) - before.length,
    linesOver: (from, to) => parts.slice(indexAt(from), indexAt(to - 1) + 1).join(' '),
  };
}

const noBreaks: JoinedLines['breaks'] = new Map();

/** Most lines have a prefix, and so do their neighbours. */
function alone(text: string): JoinedLines {
  return {
    text,
    start: 0,
    end: text.length,
    breaks: noBreaks,
    linesBefore: 0,
    linesAfter: 0,
    distanceAt: () => 0,
    linesOver: () => text,
  };
}

/** The line, and those that go on with it by all appearances. */
export function continued(hit: Hit, own: LogLine): readonly string[] {
  const parts = [own.texts[0] ?? ''];
  for (const text of linesAfter(hit, own, { lines: MAX_CONTINUED })) {
    if (!isCutBefore(hit, parts.length)) break;
    parts.push(text);
  }
  return parts;
}

/** What was asked failed, or what came of it is still to be said. */
const isUnfinished =
  /\b(?:fail(?:ed|s|ure)?|return(?:ed|s)?|errors?|ret|errno|refused)\b|hw_errors?|[:=,(]$/i;
const goesOn = /^(?:failed|returned|returns?|with|due|because)\b|^[-(=:,]/;

/**
 * Whether an errno in these lines is surely that of the request in the first: short lines of different programs
 * look as if one was cut. Either what is before the errno's line says that something failed and not yet why,
 * or that line begins in the middle of a sentence.
 */
export function isOneRefusal(
  parts: readonly string[],
  hasErrno: (text: string) => boolean,
): boolean {
  const last = parts.findIndex((_, index) => hasErrno(parts.slice(0, index + 1).join(' ')));
  if (last <= 0) return false;
  return (
    isUnfinished.test(parts.slice(0, last).join(' ').trimEnd()) || goesOn.test(parts[last] ?? '')
  );
}

export function isContinued(hit: Hit, own: LogLine): boolean {
  return isCutBefore(hit, 1) && linesAfter(hit, own, { lines: 1 }).length > 0;
}

/** A line of QEMU, cut at 24 columns. */
const MAX_CONTINUED = 5;

/** As many lines around show how wide the lines are. */
const AROUND = 3;

/** Whether the first word of a line had no room in the line before, or it is indented. */
function isCutBefore(hit: Hit, distance: number): boolean {
  const raw = hit.at(distance) ?? '';
  if (/^\s/.test(raw)) return true;
  const [, word = ''] = /^(?:>\s?)*(\S+)/.exec(raw) ?? [];
  if (/^(?:qemu|kvm|virt|tdx|error|warning|libvirt)[\w/-]*:$/i.test(word)) return false;
  const around = Array.from({ length: 2 * AROUND + 1 }, (_, index) => hit.at(index - AROUND) ?? '');
  const width = Math.max(...around.map(({ length }) => length));
  return (hit.at(distance - 1) ?? '').length + word.length + 1 > width;
}

/** Lines without a prefix go on with what was said, up to the one with a prefix. */
function linesBefore(hit: Hit, own: LogLine, mostChars: number): readonly string[] {
  const lines: string[] = [];
  let following = own;
  for (let chars = 0; lines.length < MAX_LINES && chars < mostChars; ) {
    const raw = hit.at(-lines.length - 1);
    if (raw === undefined) break;
    const line = readLine(raw);
    if ((following.hasPrefix && !line.isPartial) || isEnd(line)) break;
    const text = line.texts[0]?.slice(-mostChars) ?? '';
    lines.push(text);
    chars += text.length;
    following = line;
  }
  return lines.reverse();
}

interface Most {
  readonly lines?: number;
  readonly chars?: number;
}

/** What is told of a request is told in few words. */
const MAX_TOLD_CHARS = 2000;

function linesAfter(
  hit: Hit,
  own: LogLine,
  { lines: mostLines = MAX_LINES, chars: mostChars = MAX_TOLD_CHARS }: Most,
): readonly string[] {
  const lines: string[] = [];
  let last = own;
  for (let chars = 0; lines.length < mostLines && chars < mostChars; ) {
    const raw = hit.at(lines.length + 1);
    if (raw === undefined) break;
    const line = readLine(raw);
    if ((line.hasPrefix && !last.isPartial) || isEnd(line)) break;
    const text = line.texts[0]?.slice(0, mostChars) ?? '';
    lines.push(text);
    chars += text.length;
    last = line;
  }
  return lines;
}

/** An empty line ends a paragraph, and a message of several lines is whole. */
function isEnd({ texts }: LogLine): boolean {
  return texts.length !== 1 || texts[0] === '';
}

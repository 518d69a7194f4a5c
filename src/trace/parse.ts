/**
 * Parses a trace of tdctl, in text or in JSON lines, back to records. It never throws, whatever the
 * text.
 */
import { parseJsonLine } from './parse-json.ts';
import { parseTextLine } from './parse-text.ts';
import type { TraceRecord } from './record.ts';

/** `line` counts from 1. */
export type TraceLine =
  | { readonly line: number; readonly record: TraceRecord }
  | { readonly line: number; readonly problem: string };

/** Skips empty lines, and also states, which the text form has only for people to read. */
export function* parseTrace(lines: Iterable<string>): Generator<TraceLine> {
  const rest = lines[Symbol.iterator]();
  let line = 0;
  const next = (): string | undefined => {
    const { done, value } = rest.next();
    if (done === true) return undefined;
    line += 1;
    return value;
  };
  for (let text = next(); text !== undefined; text = next()) {
    if (text.trim() === '' || isState(text)) continue;
    const first = line;
    const parsed = text.startsWith('{') ? parseJsonLine(text) : parseTextLine(text, next);
    yield { line: first, ...parsed };
  }
}

function isState(text: string): boolean {
  return text.startsWith('-- ') && !text.startsWith('-- last close of ');
}

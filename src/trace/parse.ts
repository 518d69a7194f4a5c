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

/** No call of the trace has more CPUID entries below it. */
const mostLinesBelow = 9999;
const goesOn = /\[\d{1,4} lines\]/;
const below = /^\s+cpuid 0x/;

/** Takes one line after the other. A record that goes on below is whole when the line after it is known. */
export class TraceParser {
  #line: number;
  #first: string | undefined;
  #below: string[] = [];

  constructor({ linesBefore = 0 } = {}) {
    this.#line = linesBefore;
  }

  /** Skips empty lines, and also states, which the text form has only for people to read. */
  add(text: string): TraceLine[] {
    if (this.#first !== undefined && this.#below.length < mostLinesBelow && below.test(text)) {
      this.#line += 1;
      this.#below.push(text);
      return [];
    }
    const whole = this.end();
    this.#line += 1;
    if (text.trim() === '' || isState(text)) return whole;
    this.#first = text;
    return goesOn.test(text) ? whole : [...whole, ...this.end()];
  }

  /** Gives what the last line was waiting for. */
  end(): TraceLine[] {
    const first = this.#first;
    if (first === undefined) return [];
    const lines = this.#below;
    const line = this.#line - lines.length;
    this.#first = undefined;
    this.#below = [];
    if (first.startsWith('{'))
      return [{ line, ...parseJsonLine(first) }, ...alone(lines, line + 1)];
    let taken = 0;
    const next = () => {
      taken += 1;
      return lines[taken - 1];
    };
    const parsed = { line, ...parseTextLine(first, next) };
    return [parsed, ...alone(lines.slice(taken), line + 1 + taken)];
  }
}

function alone(lines: readonly string[], first: number): TraceLine[] {
  return lines.map((text, at) => ({ line: first + at, ...parseTextLine(text, () => undefined) }));
}

export function* parseTrace(lines: Iterable<string>): Generator<TraceLine> {
  const parser = new TraceParser();
  for (const line of lines) yield* parser.add(line);
  yield* parser.end();
}

function isState(text: string): boolean {
  return text.startsWith('-- ') && !text.startsWith('-- last close of ');
}

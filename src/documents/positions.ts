/** Knows where in the file each field is. */
import { LineCounter } from 'yaml';
import type { Place } from './finding.ts';

export type FieldPath = readonly (string | number)[];

/** Two offsets into the text; the end is exclusive. */
export type TextRange = readonly [start: number, end: number];

interface FieldRanges {
  /** List items have no key. */
  readonly key: TextRange | undefined;
  /** This is the key's range for a block of further lines, which a caret could not underline. */
  readonly value: TextRange;
}

export class Positions {
  readonly #text: string;
  readonly #lineCounter = new LineCounter();
  readonly #fields = new Map<string, FieldRanges>();
  /** The offset after the last character that is not white space. */
  readonly #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = text.trimEnd().length;
    // This is not left to yaml's parser, which misses the line ends inside what it cannot read.
    for (let start = 0; start !== -1; start = nextLineStart(text, start)) {
      this.#lineCounter.addNewLine(start);
    }
  }

  record(path: FieldPath, ranges: FieldRanges): void {
    this.#fields.set(keyOf(path), ranges);
  }

  has(path: FieldPath): boolean {
    return this.#fields.has(keyOf(path));
  }

  /** Gives the value's text as it stands in the file, up to the end of its line. */
  sourceOf(path: FieldPath): string | undefined {
    const range = this.#fields.get(keyOf(path))?.value;
    return range === undefined ? undefined : this.#text.slice(...range).split('\n', 1)[0];
  }

  /** Gives the place of a field's value, and of its key where the value is empty. */
  ofValue(path: FieldPath): Place {
    const ranges = this.#fields.get(keyOf(path));
    if (ranges === undefined) return this.ofNearestParent(path);
    const isEmpty = ranges.value[0] >= ranges.value[1];
    return this.ofRange((isEmpty ? ranges.key : undefined) ?? ranges.value);
  }

  /** Gives the place of a field's key, for unknown keys and for what is missing below it. */
  ofKey(path: FieldPath): Place {
    const ranges = this.#fields.get(keyOf(path));
    if (ranges === undefined) return this.ofNearestParent(path);
    return this.ofRange(ranges.key ?? ranges.value);
  }

  ofNearestParent(path: FieldPath): Place {
    for (let length = path.length - 1; length > 0; length--) {
      const parent = path.slice(0, length);
      if (this.has(parent)) return this.ofKey(parent);
    }
    return this.ofDocument();
  }

  /** Gives the place of the first character that is not white space. */
  ofDocument(): Place {
    const start = this.#end === 0 ? 0 : this.#text.length - this.#text.trimStart().length;
    return this.ofRange([start, start + 1]);
  }

  ofRange([start, end]: TextRange): Place {
    const inside = Math.max(0, Math.min(start, this.#end));
    const { line, col } = this.#lineCounter.linePos(inside);
    const lineEnd = this.#endOfLine(inside);
    const length = Math.min(end, lineEnd) - inside;
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, length) };
  }

  lineText(line: number): string {
    const start = this.#lineCounter.lineStarts[line - 1] ?? 0;
    return this.#text.slice(start, this.#endOfLine(start));
  }

  #endOfLine(offset: number): number {
    const newline = this.#text.indexOf('\n', offset);
    const end = newline === -1 ? this.#text.length : newline;
    return this.#text[end - 1] === '\r' && end > offset ? end - 1 : end;
  }
}

function nextLineStart(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? -1 : newline + 1;
}

function keyOf(path: FieldPath): string {
  return JSON.stringify(path);
}

/** What the plain values of a file hold at a path; undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: FieldPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The scanner reads the values of a trace in text from left to right. */
import type { TraceCpuidEntry, TraceValue } from './record.ts';

/** The error says what is wrong with a line. It never leaves the parser. */
export class Unreadable extends Error {}

export function isUnreadable(error: unknown): error is Unreadable {
  return error instanceof Unreadable;
}

const quotedText = /"(?:[^"\\]|\\.)*"/y;
const bareWord = /0x[0-9a-f]+|[A-Za-z_][\w.#:/+@-]*/y;
const number = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/y;
const laterLines = /\[(\d{1,4}) lines\]/y;
const cpuidLine =
  /^\s+cpuid (0x[0-9a-f]+)\.(\d+)(?: flags=(\d+))? eax=(0x[0-9a-f]+) ebx=(0x[0-9a-f]+) ecx=(0x[0-9a-f]+) edx=(0x[0-9a-f]+)$/;

const words: ReadonlyMap<string, TraceValue> = new Map<string, TraceValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Every method throws {@link Unreadable} where the text is something else. */
export class TextScanner {
  readonly #text: string;
  readonly #next: () => string | undefined;
  #at = 0;

  constructor(text: string, next: () => string | undefined) {
    this.#text = text;
    this.#next = next;
  }

  skips(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  expect(expected: string): void {
    if (!this.skips(expected)) this.fail(`"${expected.trim()}" is missing`);
  }

  upTo(mark: string): string {
    const end = this.#text.indexOf(mark, this.#at);
    if (end === -1) this.fail('is no record of a trace');
    const text = this.#text.slice(this.#at, end);
    this.#at = end + mark.length;
    return text;
  }

  rest(): string {
    const text = this.#text.slice(this.#at).trimEnd();
    this.#at = this.#text.length;
    return text;
  }

  /** Reads `name=value, …` up to a closing mark, or to the end of the line. */
  fields(close: string): Readonly<Record<string, TraceValue>> {
    const fields: [string, TraceValue][] = [];
    while (!this.#closes(close)) {
      if (fields.length > 0) this.expect(', ');
      const name = this.#word() ?? this.#quoted() ?? this.fail('the name of a field is missing');
      this.expect('=');
      fields.push([name, this.value()]);
    }
    return Object.fromEntries(fields);
  }

  value(): TraceValue {
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    const word = this.#word();
    if (word !== undefined) return words.get(word) ?? (words.has(word) ? null : word);
    const lines = this.#match(laterLines);
    if (lines !== undefined) return this.#cpuid(Number(lines[1]));
    if (this.skips('[')) return this.#list();
    if (this.skips('{')) return this.fields('}');
    const digits = this.#match(number)?.[0];
    return digits === undefined ? this.fail('a value is missing') : Number(digits);
  }

  fail(problem: string): never {
    throw new Unreadable(`${problem} (column ${this.#at + 1})`);
  }

  #list(): TraceValue[] {
    const items: TraceValue[] = [];
    while (!this.#closes(']')) {
      if (items.length > 0) this.expect(', ');
      items.push(this.value());
    }
    return items;
  }

  #cpuid(count: number): TraceValue {
    return Array.from({ length: count }, () => {
      const [, leaf, index, flags, eax, ebx, ecx, edx] =
        cpuidLine.exec(this.#next() ?? '') ?? this.fail('a line with a CPUID entry is missing');
      const numbers = { index: Number(index), flags: Number(flags ?? 0) };
      return { function: leaf, ...numbers, eax, ebx, ecx, edx } as TraceCpuidEntry & TraceValue;
    });
  }

  #closes(close: string): boolean {
    if (close === '') return this.#at >= this.#text.trimEnd().length;
    if (this.#at >= this.#text.length) this.fail(`"${close}" is missing: the line was cut off`);
    return this.skips(close);
  }

  #word(): string | undefined {
    return this.#match(bareWord)?.[0];
  }

  #quoted(): string | undefined {
    const quoted = this.#match(quotedText)?.[0];
    if (quoted === undefined) return undefined;
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return this.fail('the text in quotes cannot be read');
    }
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }
}

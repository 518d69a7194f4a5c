/**
 * A wording is a message as it stands in the source of its printer, with `{name}` where a value is
 * printed. Small and capital letters are the same; a space stands for any white space, also none, since a
 * mail client may have put the end of a line there.
 *
 * {name}        any text, up to the next words of the wording, or to the end of the line
 * {name:int}    -28
 * {name:hex}    0xc000, with or without 0x
 * {name:word}   no white space, comma, bracket or quote
 *
 * ^ at its beginning and $ at its end: there the line begins or ends, for wordings that have no words of their own.
 */
import type { Values } from './message.ts';

/** More of a value would be another message. */
const MAX_VALUE_CHARS = 240;
const MAX_WORD_CHARS = 200;
const MAX_NUMBER_CHARS = 24;

const kinds = {
  text: `.{0,${MAX_VALUE_CHARS}}?`,
  int: String.raw`-?\d+`,
  hex: '(?:0x)?[0-9a-f]+',
  word: String.raw`[^\s,;()'"]{1,${MAX_WORD_CHARS}}`,
} as const;

const mostChars: Readonly<Record<Kind, number>> = {
  text: MAX_VALUE_CHARS,
  int: MAX_NUMBER_CHARS,
  hex: MAX_NUMBER_CHARS,
  word: MAX_WORD_CHARS,
};

type Kind = keyof typeof kinds;

type Part =
  | { readonly literal: string }
  | { readonly name: string; readonly kind: Kind; readonly isLast: boolean };

export interface FoundWording {
  readonly start: number;
  /** Behind its last word: a text at the end may hold what another message says. */
  readonly end: number;
  readonly values: Values;
}

/** Where to look in a text. */
export interface Where {
  /** What ends before is not looked for. */
  readonly from?: number;
  /** Where another line begins, which words do not run across; whether a number may, as a terminal cuts it. */
  readonly breaks?: ReadonlyMap<number, { readonly isCut: boolean }>;
}

type Breaks = Required<Where>['breaks'];
const none: Breaks = new Map();

export class Wording {
  readonly text: string;
  /** One word of it, in small letters: a line that does not have it is none of this message. */
  readonly key: string;
  /** Another word of it, where it has one. */
  readonly secondKey: string | undefined;
  /** How many of its characters are fixed. Of two messages that fit, the one with more says more. */
  readonly weight: number;
  /** As many characters it may have up to its last word, or the end of a number behind that. */
  readonly reach: number;
  readonly #parts: readonly Part[];
  readonly #names: readonly string[];
  readonly #beginsLine: boolean;
  readonly #endsLine: boolean;
  #pattern: RegExp | undefined;

  /** @throws Error for a wording without a word to look for. */
  constructor(text: string) {
    this.text = text;
    this.#beginsLine = text.startsWith('^');
    this.#endsLine = text.endsWith('$');
    this.#parts = partsOf(text.replace(/^\^|\$$/g, ''));
    this.#names = this.#parts.flatMap((part) => ('literal' in part ? [] : [part.name]));
    this.reach = this.#parts.reduce((sum, part) => sum + mostCharsOf(part), 0);
    const literals = this.#parts.map((part) => ('literal' in part ? part.literal : VALUE));
    const [key, secondKey] = keysOf(literals.join(''));
    if (key === undefined) throw new Error(`no word to look for in: ${text}`);
    this.key = key;
    this.secondKey = secondKey;
    this.weight = literals.join('').replaceAll(VALUE, '').replace(/\s/g, '').length;
  }

  find(text: string, { from = 0, breaks = none }: Where = {}): FoundWording | undefined {
    this.#pattern ??= new RegExp(this.#parts.map(patternOf).join(''), 'gi');
    this.#pattern.lastIndex = Math.max(0, from - this.reach);
    for (;;) {
      const match = this.#pattern.exec(text);
      if (match === null) return undefined;
      if (isBeginOfWord(text, match.index, breaks)) {
        const found = this.#found(match, breaks);
        if (found.end > from && this.#isInPlace(text, found, breaks)) return found;
      }
      this.#pattern.lastIndex = match.index + 1;
    }
  }

  #isInPlace(text: string, { start, end }: FoundWording, breaks: Breaks): boolean {
    if (this.#beginsLine && start !== 0 && !breaks.has(start)) return false;
    return !this.#endsLine || end === text.length || breaks.has(end);
  }

  #found(match: RegExpExecArray, breaks: Breaks): FoundWording {
    const values: Record<string, string> = {};
    for (const [index, name] of this.#names.entries()) values[name] = match[index + 1] ?? '';
    const start = match.index;
    const end = start + match[0].length;
    const last = this.#parts.at(-1);
    if (last === undefined || 'literal' in last) return { start, end, values };
    const value = values[last.name] ?? '';
    if (last.kind === 'text') return { start, end: end - value.length, values };
    const valueEnd = endOfValue(match.input, { start: end - value.length, end, breaks });
    values[last.name] = value.slice(0, value.length - (end - valueEnd));
    return { start, end: valueEnd, values };
  }

  /** The message as it would be printed with these values; a plausible one for each that is not given. */
  print(values: Values = {}): string {
    return this.#parts
      .map((part) =>
        'literal' in part ? part.literal : (values[part.name] ?? plausible[part.kind]),
      )
      .join('');
  }
}

const plausible: Readonly<Record<Kind, string>> = {
  text: 'value',
  int: '5',
  hex: '0x10',
  word: 'value',
};

function partsOf(text: string): readonly Part[] {
  const pieces = text.split(/(\{\w+(?::\w+)?\})/).filter((piece) => piece !== '');
  return pieces.map((piece, index): Part => {
    const value = /^\{(\w+)(?::(\w+))?\}$/.exec(piece);
    if (value === null) return { literal: piece };
    const [, name = '', kind = 'text'] = value;
    if (!(kind in kinds)) throw new Error(`${text}: no kind of value is called ${kind}`);
    return { name, kind: kind as Kind, isLast: index === pieces.length - 1 };
  });
}

function mostCharsOf(part: Part): number {
  if ('literal' in part) return part.literal.length;
  return part.isLast && part.kind === 'text' ? 0 : mostChars[part.kind];
}

/**
 * A value at the end of a line does not go on with the first letters of the next one, unless a terminal cut it there:
 * "failed: 0xe022" above "Error: …" is no 0xe022e.
 */
function endOfValue(
  text: string,
  { start, end, breaks }: { readonly start: number; readonly end: number; readonly breaks: Breaks },
): number {
  for (const [place, { isCut }] of breaks) {
    if (place <= start || place >= end) continue;
    if (!isCut || isWordChar(text.charCodeAt(end))) return place;
  }
  return end;
}

/** "tdx: " is no part of "avoidtdx: "; "virt/tdx: " has it. */
function isBeginOfWord(text: string, at: number, breaks: Breaks): boolean {
  if (at === 0 || !isWordChar(text.charCodeAt(at - 1)) || !isWordChar(text.charCodeAt(at)))
    return true;
  return breaks.has(at);
}

/** NaN, behind the end, is none. */
function isWordChar(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x5f
  );
}

function patternOf(part: Part): string {
  return 'literal' in part ? escaped(part.literal) : group(part);
}

function group({ kind, isLast }: Extract<Part, { kind: Kind }>): string {
  return `(${kind === 'text' && isLast ? `.{0,${MAX_VALUE_CHARS}}` : kinds[kind]})`;
}

/** A line that begins with `>` where a terminal cut "->" looks quoted, and loses it. */
function escaped(literal: string): string {
  return literal
    .replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
    .replace(/>/g, '>?')
    .replace(/\s+/g, String.raw`\s*`);
}

/** Stands for a value where only the fixed words are looked at. */
const VALUE = '\0';

/** Words that logs are full of: as a key they would let too many lines through. Only speed hangs on it. */
const common = new Set(
  (
    'the and for not with from this that are was has have can cannot could been will all but its only than ' +
    'failed fail failure error errors warning invalid unable unsupported supported support required requires ' +
    'requested unknown missing found detected enabled enable disabled disable device devices driver memory ' +
    'kernel module modules loaded load init initialized initialize initialization cpu cpus guest host start ' +
    'started version file open read write get set return returned code message buffer full used total size ' +
    'address data status service connect connection server client network system systemd process request ' +
    'response value values feature features platform running online number configuration config path key vm pci ' +
    'such argument refused reset permission denied resource busy directory report socket close closed waiting ' +
    'run services protocol expected should please thread bytes received page pages skip event format section ' +
    'software hardware security access handle being must reached accepted accept returns root length registers'
  ).split(' '),
);

function keysOf(text: string): readonly string[] {
  // A word beside a value may be printed as a part of a longer one.
  const words = text.toLowerCase().match(/(?<![a-z0-9_\0])[a-z0-9_]{3,}(?![a-z0-9_\0])/g) ?? [];
  return [...new Set(words)].sort(
    (a, b) => Number(common.has(a)) - Number(common.has(b)) || b.length - a.length,
  );
}

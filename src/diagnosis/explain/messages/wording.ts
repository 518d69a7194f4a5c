/**
 * A wording is a message as it stands in the source of its printer, with `{name}` where a value is
 * printed. Small and capital letters are the same; a space stands for any white space, also none, since a
 * mail client may have put the end of a line there.
 *
 * {name}        any text, up to the next words of the wording, or to the end of the line
 * {name:int}    -28
 * {name:hex}    0xc000, with or without 0x
 * {name:word}   no white space, comma, bracket or quote
 */
import type { Values } from './message.ts';

/** More of a value would be another message. */
const MAX_VALUE_CHARS = 240;

const kinds = {
  text: `.{0,${MAX_VALUE_CHARS}}?`,
  int: String.raw`-?\d+`,
  hex: '(?:0x)?[0-9a-f]+',
  word: String.raw`[^\s,;()'"]+`,
} as const;

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
  /** Where another line begins, which words do not run across. */
  readonly breaks?: ReadonlySet<number>;
}

const none: ReadonlySet<number> = new Set();

export class Wording {
  readonly text: string;
  /** One word of it, in small letters: a line that does not have it is none of this message. */
  readonly key: string;
  /** Another word of it, where it has one. */
  readonly secondKey: string | undefined;
  /** How many of its characters are fixed. Of two messages that fit, the one with more says more. */
  readonly weight: number;
  readonly #parts: readonly Part[];
  #pattern: RegExp | undefined;

  /** @throws Error for a wording without a word to look for. */
  constructor(text: string) {
    this.text = text;
    this.#parts = partsOf(text);
    const literals = this.#parts.map((part) => ('literal' in part ? part.literal : VALUE));
    const [key, secondKey] = keysOf(literals.join(''));
    if (key === undefined) throw new Error(`no word to look for in: ${text}`);
    this.key = key;
    this.secondKey = secondKey;
    this.weight = literals.join('').replaceAll(VALUE, '').replace(/\s/g, '').length;
  }

  find(text: string, { from = 0, breaks = none }: Where = {}): FoundWording | undefined {
    this.#pattern ??= new RegExp(this.#parts.map(patternOf).join(''), 'gi');
    this.#pattern.lastIndex = 0;
    for (;;) {
      const match = this.#pattern.exec(text);
      if (match === null) return undefined;
      const found = isBeginOfWord(text, match.index, breaks) ? this.#found(match) : undefined;
      if (found !== undefined && found.end > from) return found;
      this.#pattern.lastIndex = match.index + 1;
    }
  }

  #found(match: RegExpExecArray): FoundWording {
    const last = this.#parts.at(-1);
    const tail =
      last && 'kind' in last && last.kind === 'text' ? (match.groups?.[last.name] ?? '') : '';
    return {
      start: match.index,
      end: match.index + match[0].length - tail.length,
      values: { ...match.groups },
    };
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

/** "tdx: " is no part of "avoidtdx: "; "virt/tdx: " has it. */
function isBeginOfWord(text: string, at: number, breaks: ReadonlySet<number>): boolean {
  return breaks.has(at) || !/^\w\w/.test(text.slice(Math.max(0, at - 1), at + 1)) || at === 0;
}

function patternOf(part: Part): string {
  return 'literal' in part ? escaped(part.literal) : group(part);
}

function group({ name, kind, isLast }: Extract<Part, { kind: Kind }>): string {
  return `(?<${name}>${kind === 'text' && isLast ? `.{0,${MAX_VALUE_CHARS}}` : kinds[kind]})`;
}

function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`).replace(/\s+/g, String.raw`\s*`);
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

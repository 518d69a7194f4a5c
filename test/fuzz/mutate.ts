/** Inputs that are nearly right: what stands in the corpus, changed in a few places. */
import type { Random } from './random.ts';

/** Most inputs are short, because more of them say more than long ones do. */
const mostCharacters = 6_000;
const mostCharactersSeldom = 65_536;

function cutTo(text: string, random: Random): string {
  return text.slice(0, random.once(200) ? mostCharactersSeldom : mostCharacters);
}

const difficultWords: readonly string[] = [
  ...['', ' ', '\n', '\t', '\r\n', '\u0000', '\u001b[31m', '\u2028', '\u202e', '\ud800', '\ufeff'],
  ...['日本', '\u061c', '\u007f', '"', "'", '`', '\\', '\\u0000', '%s', '../', '/', '//'],
  ...[
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '<',
    '>',
    '{}',
    '[]',
    '{{',
    ': ',
    ', ',
    '=',
    '#',
    '@',
    '+',
    '|',
  ],
  ...['- ', '? ', '&a ', '*a', '<<: ', '---\n', '...\n', '!!binary ', '!x ', '~', '|\n', '>\n'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'true', 'NaN'],
  ...['0', '-1', '1', '0x', '0x0', '1e999', '1e-9', '.5', '-0', '0b1', '0o7', '١', '1_000', '00'],
  ...['2147483648', '4294967296', '9007199254740993', '18446744073709551615', '9'.repeat(400)],
  ...['0xffffffffffffffff', '0x8000000000000000', `0x${'f'.repeat(64)}`, 'GiB', 'EiB', 'Infinity'],
];

const difficultValues: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e308, 2 ** 31, 2 ** 53, '', 'x', '0x0', '\u0000', [], {}],
  ...[[[]], [null], { a: {} }, '__proto__', 'x'.repeat(5000), Array.from({ length: 300 }, () => 1)],
  ...[{ length: -1 }, { toString: 1 }, { toJSON: 'x' }, { constructor: { prototype: 1 } }],
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

export interface Corpus {
  readonly texts: readonly string[];
  /** The words of all the texts. */
  readonly words: readonly string[];
}

export function corpusOf(texts: readonly string[]): Corpus {
  const words = new Set(texts.flatMap((text) => text.match(/[\w.:#-]+/g) ?? []));
  return { texts, words: [...words] };
}

/** A text of the corpus after one change to eight, most often few. */
export function mutatedText(random: Random, corpus: Corpus): string {
  let text = random.pick(corpus.texts);
  for (let left = 1 + random.below(random.once(4) ? 8 : 2); left > 0; left--) {
    text = random.pick(textChanges)(text, random, corpus);
  }
  return cutTo(text, random);
}

type TextChange = (text: string, random: Random, corpus: Corpus) => string;

const textChanges: readonly TextChange[] = [
  // A word becomes another one.
  (text, random, { words }) =>
    replaceOne(text, /[\w.:#-]+/g, random, () =>
      random.pick(random.once(2) ? words : difficultWords),
    ),
  (text, random) => replaceOne(text, /\d+/g, random, () => aNumber(random)),
  // A difficult word, or a character, comes in.
  (text, random) => splice(text, random.below(text.length + 1), 0, random.pick(difficultWords)),
  (text, random) => splice(text, random.below(text.length + 1), 0, aCharacter(random)),
  (text, random) => splice(text, random.below(text.length), 1, aCharacter(random)),
  // A piece goes, comes twice, or goes elsewhere.
  (text, random) => splice(text, ...piece(text, random), ''),
  (text, random) => {
    const [at, length] = piece(text, random);
    return splice(text, random.below(text.length + 1), 0, text.slice(at, at + length));
  },
  (text, random) => {
    const [at, length] = piece(text, random);
    return splice(text, at, length, text.slice(at, at + length).repeat(1 + random.below(40)));
  },
  // Lines are changed about.
  (text, random) => {
    const lines = text.split('\n');
    const from = random.below(lines.length);
    const [line = ''] = lines.splice(from, 1);
    const copies = random.below(3);
    lines.splice(random.below(lines.length + 1), 0, ...Array.from({ length: copies }, () => line));
    return lines.join('\n');
  },
  (text, random) =>
    replaceOne(text, /^ */gm, random, (indent) => indent + ' '.repeat(random.below(5))),
  // It ends early, or becomes another text of the corpus.
  (text, random) => text.slice(0, random.below(text.length)),
  (text, random, { texts }) => {
    const other = random.pick(texts);
    return text.slice(0, random.below(text.length)) + other.slice(random.below(other.length));
  },
];

function splice(text: string, at: number, remove: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + remove);
}

function piece(text: string, random: Random): [at: number, length: number] {
  return [random.below(text.length), 1 + random.below(random.once(3) ? 400 : 12)];
}

function aCharacter(random: Random): string {
  return String.fromCharCode(random.below(random.once(3) ? 0x1_0000 : 0x80));
}

function aNumber(random: Random): string {
  const number = random.u64() >> BigInt(random.below(64));
  return random.once(2) ? String(number) : `0x${number.toString(16)}`;
}

function replaceOne(
  text: string,
  pattern: RegExp,
  random: Random,
  replacement: (found: string) => string,
): string {
  const found = [...text.matchAll(pattern)];
  const chosen = found[random.below(found.length)];
  if (chosen === undefined) return text;
  return splice(text, chosen.index, chosen[0].length, replacement(chosen[0]));
}

/** A document of the corpus with other values, keys or branches; JSON, which is also YAML. */
export function mutatedTree(random: Random, trees: readonly unknown[]): string {
  const root: unknown = structuredClone(random.pick(trees));
  for (let left = 1 + random.below(3); left > 0; left--) changeTree(random, root, trees);
  return cutTo(JSON.stringify(root), random);
}

function changeTree(random: Random, root: unknown, trees: readonly unknown[]): void {
  const chosen = branch(random, root);
  if (chosen === undefined) return;
  const { holder, key } = chosen;
  const was = holder[key];
  switch (random.below(7)) {
    case 0:
      Reflect.deleteProperty(holder, key);
      break;
    case 1:
      if (!Array.isArray(holder)) define(holder, random.pick(difficultWords), structuredClone(was));
      break;
    case 2: {
      const other = branch(random, random.pick(trees));
      if (other !== undefined) define(holder, key, structuredClone(other.holder[other.key]));
      break;
    }
    case 3:
      define(
        holder,
        key,
        Array.from({ length: random.below(4) }, () => structuredClone(was)),
      );
      break;
    case 4:
      define(
        holder,
        key,
        random.pick([Number(aNumber(random)), aNumber(random), random.pick(difficultWords)]),
      );
      break;
    default:
      define(holder, key, structuredClone(random.pick(difficultValues)));
  }
}

/** As JSON.parse() does: `__proto__` is a key like any other. */
function define(holder: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

interface Branch {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** Somewhere in the tree, deep places as likely as others. */
function branch(random: Random, root: unknown): Branch | undefined {
  let found: Branch | undefined;
  for (let here = root; typeof here === 'object' && here !== null; ) {
    const keys = Object.keys(here);
    if (keys.length === 0 || (found !== undefined && random.once(4))) break;
    found = { holder: here as Record<string, unknown>, key: random.pick(keys) };
    here = found.holder[found.key];
  }
  return found;
}

/** Bytes of the corpus with some changed, cut or moved; most changes are at `places`. */
export function mutatedBytes(
  random: Random,
  image: Uint8Array,
  places: readonly (readonly [from: number, to: number])[],
): Uint8Array {
  const bytes = random.once(8) ? image.slice(random.below(64) * 512) : image.slice();
  const shift = image.length - bytes.length;
  for (let left = 1 + random.below(8); left > 0; left--) {
    const [from, to] = random.once(6) ? [0, image.length] : random.pick(places);
    const at = from + random.below(to - from) - shift;
    const value = random.once(2) ? random.u32() : random.pick([0, 1, 0x7f, 0x80, 0xff]);
    const width = random.pick([1, 1, 2, 4, 8]);
    for (let byte = 0; byte < width; byte++) {
      if (at + byte >= 0 && at + byte < bytes.length) bytes[at + byte] = value >> (8 * (byte % 4));
    }
  }
  return random.once(16) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

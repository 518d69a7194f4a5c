/** Reads YAML text as plain values, with the place of every field and all that is wrong as YAML. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Finding } from './finding.ts';
import { type FieldPath, Positions, type TextRange } from './positions.ts';
import { syntaxFindings } from './syntax-findings.ts';
import { quote } from './wording.ts';

export interface YamlDocument {
  /**
   * Maps (without a prototype, so that a key `toString` is only a key), arrays and scalars.
   * Integers beyond 2^53 are BigInt. undefined: the text is no YAML, or holds nothing.
   */
  readonly value: unknown;
  readonly positions: Positions;
  readonly findings: readonly Finding[];
  /** The fields whose value could not be taken; further findings about them are of no use. */
  readonly faulty: readonly FieldPath[];
}

export function readDocument(text: string): YamlDocument {
  const positions = new Positions(text);
  const tooDeep = firstTooDeep(text);
  if (tooDeep !== undefined) {
    const problem = 'this is nested too deeply, or something above it was not closed';
    const place = positions.ofRange([tooDeep, tooDeep + 1]);
    return unusable(positions, [{ field: '', problem, place }]);
  }
  const document = parseDocument(text, {
    intAsBigInt: true,
    // It is fixed, so that a `%YAML 1.1` line does not turn `yes` into true and `0o17` into text.
    schema: 'core',
    resolveKnownTags: false,
    // Our check names the first of the two, and does not compare every key with every other.
    uniqueKeys: false,
    prettyErrors: false,
    // parseDocument logs nothing. 'silent' would keep MULTIPLE_DOCS back.
    logLevel: 'error',
  });
  const syntax = syntaxFindings(document, positions);
  // After a syntax error the tree is a guess, and findings about it would send people astray.
  const isGuess = document.errors.some((error) => error.code !== 'MULTIPLE_DOCS');
  if (isGuess) return unusable(positions, syntax);
  const reader = new NodeReader(positions);
  const value = document.contents === null ? undefined : reader.read(document.contents, []);
  const findings = [...syntax, ...reader.findings];
  return { value, positions, findings, faulty: reader.faulty };
}

/**
 * Maps of a file inherit nothing but this: zod compares the `length` of whatever it meets with numbers,
 * also that of a map with a key of this name, and that must not throw.
 */
const noPrimitive: object = Object.freeze(
  Object.assign(Object.create(null), { [Symbol.toPrimitive]: () => Number.NaN }),
);

function unusable(positions: Positions, findings: readonly Finding[]): YamlDocument {
  return { value: undefined, positions, findings, faulty: [[]] };
}

/** Our files are at most five levels deep, with one or two entries of the parser's stack each. */
const deepestStack = 64;

/**
 * Gives the offset of the first thing that is nested too deeply. The parser keeps a stack of its
 * own; what comes after it is recursive, and V8 ends the whole process when a regular expression is
 * compiled near the end of the call stack. So that must never be reached.
 */
function firstTooDeep(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    for (const _ of parser.next(lexeme)) if (parser.stack.length > deepestStack) return start;
    if (parser.stack.length > deepestStack) return start;
  }
  return undefined;
}

/** The core schema would find these tags by itself. */
const plainTags = /^(!|tag:yaml\.org,2002:(str|int|float|bool|null|map|seq))$/;

class NodeReader {
  readonly findings: Finding[] = [];
  readonly faulty: FieldPath[] = [];
  readonly #positions: Positions;

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  read(node: Node | null, path: FieldPath, key?: TextRange): unknown {
    const valueRange = rangeOf(node) ?? key ?? [0, 0];
    this.#positions.record(path, { key, value: isBlock(node) && key ? key : valueRange });
    if (node === null) return null;
    if (isAlias(node)) {
      return this.#refuse(
        path,
        'is an alias; write the value itself, tdctl does not follow aliases',
      );
    }
    if (node.tag !== undefined && !plainTags.test(node.tag)) {
      return this.#refuse(
        path,
        `has the tag ${quote(node.tag.replace('tag:yaml.org,2002:', '!!'))}; tdctl reads plain values only`,
      );
    }
    if (isMap(node)) return this.#readMap(node, path);
    if (isSeq(node)) return this.#readSequence(node, path);
    return isScalar(node) ? narrow(node.value) : this.#refuse(path, 'is not a plain value');
  }

  #readSequence(node: YAMLSeq, path: FieldPath): unknown[] {
    return node.items.map((item, index) => this.read(item as Node | null, [...path, index]));
  }

  #readMap(node: YAMLMap, path: FieldPath): unknown {
    const map: Record<string, unknown> = Object.create(noPrimitive);
    for (const pair of node.items)
      this.#readPair(pair as Pair<Node | null, Node | null>, path, map);
    return map;
  }

  #readPair(pair: Pair<Node | null, Node | null>, path: FieldPath, map: Record<string, unknown>) {
    const keyRange = rangeOf(pair.key) ?? rangeOf(pair.value) ?? [0, 0];
    const object = (at: FieldPath, problem: string) => {
      this.findings.push({
        field: at.join('.'),
        problem,
        place: this.#positions.ofRange(keyRange),
      });
    };
    const key = keyText(pair.key);
    if (key === undefined) return object(path, 'a key must be plain text');
    const field = [...path, key];
    // zod passes over this key in a map of labels, and nobody means it well.
    if (key === '__proto__') return object(field, 'is not allowed as a key');
    if (key in map) {
      const first = this.#positions.ofKey(field).line;
      return object(field, `is there twice; the first is on line ${first}`);
    }
    map[key] = this.read(pair.value, field, keyRange);
  }

  #refuse(path: FieldPath, problem: string): undefined {
    this.faulty.push(path);
    this.findings.push({ field: path.join('.'), problem, place: this.#positions.ofValue(path) });
    return undefined;
  }
}

function keyText(node: Node | null): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === 'string' ? node.value : node.source;
}

function rangeOf(node: Node | null): TextRange | undefined {
  return node?.range ? [node.range[0], node.range[1]] : undefined;
}

function isBlock(node: Node | null): boolean {
  return (isMap(node) || isSeq(node)) && node.flow !== true;
}

function narrow(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

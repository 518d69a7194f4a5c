/**
 * Values as JSON and bytes beside it, exactly: what comes out is what went in, big integers, bytes and errors included.
 *
 * What JSON has no form for is an object with one key, which begins with `$`; a key of a value that begins so itself
 * gets a second one.
 */
import { decodeError, encodeError } from './errors.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What stands for an object that lives on the other side. */
export interface Reference {
  readonly token: number;
  /** What the other side is told of an object that it has not seen. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface Encoding {
  /** Undefined: the value is no such object. */
  refer(value: object): Reference | undefined;
}

export interface Decoding {
  /** @throws where there is no such object. */
  resolve(reference: Reference): unknown;
}

export interface Encoded {
  readonly json: Json;
  /** Those of the value, in the order in which it has them. */
  readonly bytes: readonly Uint8Array[];
}

export function encode(value: unknown, encoding: Encoding): Encoded {
  const bytes: Uint8Array[] = [];
  const json = toJson(value, (each) => {
    if (each instanceof Uint8Array) {
      bytes.push(each);
      return { $bytes: each.length };
    }
    if (each instanceof Error) return { $error: toJson(encodeError(each), () => undefined) };
    const reference = encoding.refer(each);
    if (reference === undefined) return undefined;
    const { token, facts } = reference;
    return {
      $object: facts === undefined ? { token } : { token, facts: toJson(facts, () => undefined) },
    };
  });
  return { json, bytes };
}

/** @param tag gives the form of an object that is no plain one. */
function toJson(value: unknown, tag: (value: object) => Json | undefined): Json {
  switch (typeof value) {
    case 'bigint':
      return { $big: value.toString() };
    case 'undefined':
      return { $undefined: true };
    case 'number':
      // JSON has neither these nor the sign of a zero.
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'boolean':
    case 'string':
      return value;
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((each) => toJson(each, tag));
      return tag(value) ?? plainToJson(value, tag);
    }
    default:
      throw new TypeError(`a ${typeof value} cannot be sent to another process`);
  }
}

function plainToJson(value: object, tag: (value: object) => Json | undefined): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`a ${value.constructor.name} cannot be sent to another process`);
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(
    fields.map(([key, field]) => [key.startsWith('$') ? `$${key}` : key, toJson(field, tag)]),
  );
}

/** @param nextBytes gives so many of the bytes beside the JSON, each once. */
export function decode(
  json: Json,
  nextBytes: (length: number) => Uint8Array,
  decoding: Decoding,
): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return json.map((each) => decode(each, nextBytes, decoding));
  const [first, ...more] = Object.entries(json);
  if (first === undefined) return {};
  const [tag, content] = first;
  if (more.length > 0 || !tag.startsWith('$') || tag.startsWith('$$')) {
    const plain = Object.entries(json).map(([key, field]) => [
      key.startsWith('$$') ? key.slice(1) : key,
      decode(field, nextBytes, decoding),
    ]);
    return Object.fromEntries(plain);
  }
  switch (tag) {
    case '$big':
      return BigInt(asText(content));
    case '$undefined':
      return undefined;
    case '$number':
      return Number(asText(content));
    case '$bytes':
      if (typeof content !== 'number') throw new Error('the length of bytes is no number');
      return nextBytes(content);
    case '$error':
      return decodeError(decode(content, nextBytes, decoding));
    case '$object': {
      const { token, facts } = decode(content, nextBytes, decoding) as Partial<Reference>;
      if (!Number.isInteger(token)) throw new Error('an object is named by no number');
      return decoding.resolve({ token: token as number, ...(facts && { facts }) });
    }
    default:
      throw new Error(`${tag} is no form of a value`);
  }
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function asText(json: Json): string {
  if (typeof json === 'string') return json;
  throw new Error('a number has the form of something else');
}

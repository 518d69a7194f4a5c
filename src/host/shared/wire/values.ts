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
  /** JSON. */
  readonly text: string;
  /** Those of the value, in the order in which it has them. */
  readonly bytes: readonly Uint8Array[];
}

export function encode(value: unknown, encoding: Encoding): Encoded {
  const bytes: Uint8Array[] = [];
  const tagged = (each: object): string | undefined => {
    if (each instanceof Uint8Array) {
      bytes.push(each);
      return `{"$bytes":${each.length}}`;
    }
    if (each instanceof Error) return `{"$error":${textOf(encodeError(each), tagged)}}`;
    const reference = encoding.refer(each);
    return reference && `{"$object":${textOf(reference, tagged)}}`;
  };
  return { text: textOf(value, tagged), bytes };
}

type Tagged = (value: object) => string | undefined;

/** The text is put together here, because a tree for JSON.stringify would cost several times as much. */
function textOf(value: unknown, tagged: Tagged): string {
  switch (typeof value) {
    case 'number':
      return numberText(value);
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return `{"$big":"${value}"}`;
    case 'undefined':
      return '{"$undefined":true}';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((each) => textOf(each, tagged)).join(',')}]`;
      return isPlain(value) ? plainText(value, tagged) : objectText(value, tagged);
    default:
      throw cannotBeSent(typeof value);
  }
}

/** JSON has neither numbers that are not finite nor the sign of a zero. */
function numberText(value: number): string {
  if (Number.isFinite(value) && !Object.is(value, -0)) return String(value);
  return `{"$number":"${Object.is(value, -0) ? '-0' : value}"}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function plainText(value: object, tagged: Tagged): string {
  let text = '';
  for (const key of Object.keys(value)) {
    const field: unknown = value[key as keyof typeof value];
    if (field === undefined) continue;
    text += `${text === '' ? '' : ','}${keyText(key)}:${textOf(field, tagged)}`;
  }
  return `{${text}}`;
}

/** Most keys are words of the code, which need nothing. */
function keyText(key: string): string {
  if (/^[a-zA-Z]\w*$/.test(key)) return `"${key}"`;
  return JSON.stringify(key.startsWith('$') ? `$${key}` : key);
}

function objectText(value: object, tagged: Tagged): string {
  const text = tagged(value);
  if (text === undefined) throw cannotBeSent(value.constructor.name);
  return text;
}

function cannotBeSent(what: string): TypeError {
  return new TypeError(`a ${what} cannot be sent to another process`);
}

/**
 * @param json is made into the value where it stands.
 * @param nextBytes gives so many of the bytes beside the JSON, each once.
 */
export function decode(
  json: Json,
  nextBytes: (length: number) => Uint8Array,
  decoding: Decoding,
): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const holder = json as Record<string, Json>;
  const keys = Object.keys(holder);
  const [tag = ''] = keys;
  if (keys.length === 1 && tag.startsWith('$') && !tag.startsWith('$$')) {
    return untagged(tag, holder[tag] ?? null, { nextBytes, decoding });
  }
  let hasDoubled = false;
  for (const key of keys) {
    const field = holder[key];
    if (typeof field === 'object') holder[key] = decode(field, nextBytes, decoding) as Json;
    hasDoubled ||= key.startsWith('$$');
  }
  return hasDoubled ? withSingled(holder) : holder;
}

function withSingled(holder: Readonly<Record<string, unknown>>): unknown {
  const fields = Object.entries(holder);
  return Object.fromEntries(
    fields.map(([key, field]) => [key.startsWith('$$') ? key.slice(1) : key, field]),
  );
}

function untagged(
  tag: string,
  content: Json,
  given: { nextBytes: (length: number) => Uint8Array; decoding: Decoding },
): unknown {
  const { nextBytes, decoding } = given;
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

function asText(json: Json): string {
  if (typeof json === 'string') return json;
  throw new Error('a number has the form of something else');
}

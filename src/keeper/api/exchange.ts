/** One request over HTTP, and its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dataValue } from '../../documents/data-values.ts';
import { nearest } from '../../documents/nearest.ts';
import { Refusal, refusedWith } from './refusal.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A document says first what it is. */
export interface Document {
  readonly kind: `tdctl.${string}`;
  readonly version: number;
}

export function sendDocument({ response }: Exchange, status: number, document: Document): void {
  sendText({ response }, status, {
    type: 'application/json',
    text: `${JSON.stringify(document, dataValue)}\n`,
  });
}

export function sendText(
  { response }: Pick<Exchange, 'response'>,
  status: number,
  { type, text }: { readonly type: string; readonly text: string | Uint8Array },
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export function sendRefusal({ response }: Pick<Exchange, 'response'>, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, headers, body } = refusedWith(error);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  sendText({ response }, status, { type: 'application/json', text: body });
}

/** What a field of a body, or a parameter of a query, may be. */
export interface Field {
  /** Completes "graceMs is …". */
  readonly wanted: string;
  readonly description: string;
  /** The same in the description of the API. */
  readonly schema: {
    readonly type: 'integer' | 'number' | 'string';
    readonly minimum?: number;
    readonly maximum?: number;
  };
  is(value: unknown): boolean;
}

export type Fields = Readonly<Record<string, Field>>;

const mostBodyBytes = 64 * 1024;

/** @throws Refusal for what is no JSON object of these fields. None of them has to be there, nor a body. */
export async function readBody(
  { request }: Pick<Exchange, 'request'>,
  fields: Fields,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(request);
  if (text.trim() === '') return {};
  const [type] = (request.headers['content-type'] ?? '').split(';');
  if (type?.trim().toLowerCase() !== 'application/json') {
    throw new Refusal(415, {
      message: 'the body is not said to be JSON',
      hint: 'send `content-type: application/json`',
    });
  }
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal(400, { message: 'the body is no JSON object', hint: hintOf(fields) });
  }
  checkFields(value as Record<string, unknown>, { fields, place: 'body' });
  return value as Record<string, unknown>;
}

async function readText(request: IncomingMessage): Promise<string> {
  if (Number(request.headers['content-length']) > mostBodyBytes) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  // Whoever leaves the loop must not destroy the request: its socket still has to carry the answer, and Node reads
  // the rest and throws it away.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > mostBodyBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(): Refusal {
  return new Refusal(413, {
    message: `the body has more than ${mostBodyBytes} bytes`,
    hint: 'no request needs so many',
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, {
      message: `the body is not JSON: ${(error as Error).message}`,
      hint: 'send a JSON object, or nothing',
    });
  }
}

interface Checking {
  readonly fields: Fields;
  readonly place: 'body' | 'query';
}

/** @throws Refusal for the first field that is unknown, or not what it may be. */
export function checkFields(given: Readonly<Record<string, unknown>>, checking: Checking): void {
  const { fields, place } = checking;
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      const meant = nearest(name, Object.keys(fields));
      throw new Refusal(400, {
        place,
        message: `${JSON.stringify(name)} is nothing that this request takes`,
        hint: meant === undefined ? hintOf(fields) : `did you mean ${meant}?`,
      });
    }
    if (field.is(value)) continue;
    throw new Refusal(400, {
      place,
      message: `${name} is ${field.wanted}, and not ${JSON.stringify(value)}`,
      hint: field.description,
    });
  }
}

function hintOf(fields: Fields): string {
  const names = Object.keys(fields);
  return names.length === 0 ? 'this request takes none' : `it takes ${names.join(', ')}`;
}

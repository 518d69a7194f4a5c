/** The form of what programs send. Whatever has another one is not understood. */
import { NotTheProtocol } from '../wire/frames.ts';
import type { ToHost } from '../wire/messages.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const number: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const numbers: Check = (value) => Array.isArray(value) && value.every(number);
const text: Check = (value) => typeof value === 'string';
const bytes: Check = (value) => value instanceof Uint8Array;

/**
 * By the field that tells a message from the others. Every call comes through here, so it is no schema of a library, which
 * costs as much as all else of a call.
 */
const forms: readonly (readonly [field: string, hasItsForm: (message: Fields) => boolean])[] = [
  ['call', ({ call, on, method }) => number(call) && number(on) && text(method)],
  ['cancel', ({ cancel }) => number(cancel)],
  ['forget', ({ forget }) => numbers(forget)],
  ['write', ({ write, pages, bytes: b }) => number(write) && numbers(pages) && bytes(b)],
  ['ping', ({ ping }) => number(ping)],
];

/** @throws NotTheProtocol */
export function toHost(value: unknown): ToHost {
  if (typeof value === 'object' && value !== null) {
    const form = forms.find(([field]) => field in value);
    if (form?.[1](value as Fields)) return value as ToHost;
  }
  throw new NotTheProtocol('a message has no form that is known');
}

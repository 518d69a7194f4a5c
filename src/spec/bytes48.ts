/** MRTD and the identities have 48 bytes (SHA-384), written as 96 hex digits or base64. */
import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';

const wanted = 'must be 48 bytes: 96 hex digits, or 64 characters of base64';

export function parseBytes48(value: unknown): Parsed<Uint8Array> {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return refused(`is a number to YAML; put the digits in quotes`);
  }
  if (typeof value !== 'string') return refused(`${wanted}; this is ${describeValue(value)}`);
  if (/^0x/i.test(value)) return refused(`${wanted}; leave out the 0x`);

  const isHex = /^[0-9a-f]*$/i.test(value);
  if (isHex && value.length === 96) return parsed(decode(value, 'hex'));
  // 64 hex digits are base64 characters too. They are far more likely a SHA-256 value, and reading
  // them as 48 other bytes would put an identity into the TD that nobody can find again.
  if (isHex && value.length === 64) {
    return refused(`${wanted}; 64 hex digits are only 32 bytes (a SHA-256 value?)`);
  }
  if (isHex && value.length > 0) return refused(`${wanted}; this has ${value.length} hex digits`);
  return parseBase64(value);
}

function parseBase64(value: string): Parsed<Uint8Array> {
  const body = value.replace(/=+$/, '');
  if (/^[A-Za-z0-9_-]+$/.test(body) && /[_-]/.test(body)) {
    return refused(`${wanted}; this is the URL form of base64: write + for - and / for _`);
  }
  if (!/^[A-Za-z0-9+/]+$/.test(body)) return refused(`${wanted}; this is ${describeValue(value)}`);
  const bytes = decode(body, 'base64');
  if (body.length === 64 && value === body) return parsed(bytes);
  const size = bytes.length === 1 ? '1 byte' : `${bytes.length} bytes`;
  return refused(`${wanted}; read as base64, this is ${size}`);
}

function decode(text: string, encoding: 'hex' | 'base64'): Uint8Array {
  return Uint8Array.from(Buffer.from(text, encoding));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

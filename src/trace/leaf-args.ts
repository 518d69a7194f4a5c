/** The operands and outputs of a SEAMCALL leaf are registers, and structs that a register points to. */
import type { TraceArgs, TraceValue } from './record.ts';
import { hex } from './values.ts';

export function leafArgs(registers: Readonly<Record<string, unknown>>): TraceArgs {
  return Object.fromEntries(
    Object.entries(registers).map(([name, value]) => [
      name,
      // The model keeps addresses as numbers, but a register shows them as addresses.
      typeof value === 'number' ? hex(value) : leafValue(value),
    ]),
  );
}

/** Longer lists are shown by their length and digest, as bytes are. */
const longestList = 4;

function leafValue(value: unknown): TraceValue {
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) {
    const values = value.map(leafValue);
    if (values.length <= longestList) return values;
    return `${values.length} entries ${digest(JSON.stringify(values))}`;
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, leafValue(inner)]),
    );
  }
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return `${bytes.length} zero bytes`;
  return `${bytes.length} bytes ${digest(bytes)}`;
}

/** This is FNV-1a with 32 bits: it tells two contents apart in a diff, and is no measurement. */
function digest(content: Uint8Array | string): string {
  const units = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  let hash = 0x811c9dc5;
  for (const unit of units) hash = Math.imul(hash ^ unit, 0x01000193);
  return `#${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

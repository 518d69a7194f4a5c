/** The numbers that a guest deals with: addresses, registers, data. */
import { notation } from '../../documents/notation.ts';
import { type Parsed, parsed, refused } from '../../documents/parsed.ts';
import { parseBytes } from '../../documents/quantity.ts';
import { describeValue } from '../../documents/wording.ts';

interface NumberMeta {
  readonly description: string;
  readonly example: number;
}

/** A whole number of so many bits, written in decimal or hexadecimal and read as a BigInt. */
export function unsigned(bits: number, { description, example }: NumberMeta) {
  return notation((value) => parseUnsigned(value, bits), {
    type: 'integer',
    minimum: 0,
    description,
    examples: [example],
  });
}

function parseUnsigned(value: unknown, bits: number): Parsed<bigint> {
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!isWhole)
    return refused(`must be a whole number such as 0x1000; this is ${describeValue(value)}`);
  const number = BigInt(value as number | bigint);
  if (number < 0n) return refused(`must not be negative; this is ${number}`);
  if (number >> BigInt(bits) !== 0n) {
    return refused(`must fit in ${bits} bits; this is 0x${number.toString(16)}`);
  }
  return parsed(number);
}

/** A size such as `2MiB`, or a number of bytes, which is above 0 and below 2^52. */
export function sizeOf(description: string, example: string) {
  return notation(parseSize, {
    type: ['string', 'integer'],
    pattern: '^\\d{1,24}(\\.\\d{1,24})?(KiB|MiB|GiB|TiB)$|^\\d{1,24}$',
    description,
    examples: [example],
  });
}

function parseSize(value: unknown): Parsed<bigint> {
  const size = parseBytes(value);
  if (!('value' in size)) return size;
  if (size.value <= 0n) return refused('must be more than 0 bytes');
  if (size.value >> 52n !== 0n) return refused('must be below 4096TiB');
  return size;
}

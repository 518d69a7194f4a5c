/** Reads and writes sizes and frequencies as people do, such as `2GiB`, and exactly. */
import { nearest } from './nearest.ts';
import { type Parsed, parsed, refused } from './parsed.ts';
import { describeValue, oneOf, quote } from './wording.ts';

interface Unit {
  readonly name: string;
  readonly factor: bigint;
}

const memoryUnits: readonly Unit[] = [
  { name: 'KiB', factor: 1n << 10n },
  { name: 'MiB', factor: 1n << 20n },
  { name: 'GiB', factor: 1n << 30n },
  { name: 'TiB', factor: 1n << 40n },
];

const byte: Unit = { name: 'B', factor: 1n };

const frequencyUnits: readonly Unit[] = [
  { name: 'kHz', factor: 1n },
  { name: 'MHz', factor: 1_000n },
  { name: 'GHz', factor: 1_000_000n },
];

/** How JSON Schema says what {@link parseBytes} and {@link parseKhz} take. */
export const bytesForm = {
  type: ['string', 'integer'],
  pattern: '^\\d{1,24}(\\.\\d{1,24})?(KiB|MiB|GiB|TiB)$|^\\d{1,24}$',
};
export const khzForm = { type: 'string', pattern: '^\\d{1,24}(\\.\\d{1,24})?(kHz|MHz|GHz)$' };

/** Gives bytes. Numbers and digits alone are bytes. */
export function parseBytes(value: unknown): Parsed<bigint> {
  if (typeof value === 'bigint') return parsed(value);
  if (typeof value === 'number') {
    return Number.isSafeInteger(value)
      ? parsed(BigInt(value))
      : refused(`must be a whole number of bytes, or a size such as 2GiB; this is ${value}`);
  }
  if (typeof value !== 'string') {
    return refused(`must be a size such as 2GiB; this is ${describeValue(value)}`);
  }
  const parts = splitQuantity(value);
  if (parts === undefined) return refused(`${quote(value)} is not a size; write one such as 2GiB`);
  if (parts.unit === '' && !parts.digits.includes('.')) return parsed(BigInt(parts.digits));
  return applyUnit(value, parts, memoryUnits, binaryUnitFor(parts.unit));
}

/** Gives kHz. A number without a unit is refused, because nobody can tell which was meant. */
export function parseKhz(value: unknown): Parsed<bigint> {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return refused(`needs a unit, such as 1.5GHz or 2000MHz; this is ${describeValue(value)}`);
  }
  if (typeof value !== 'string') {
    return refused(`must be a frequency such as 1.5GHz; this is ${describeValue(value)}`);
  }
  const parts = splitQuantity(value);
  if (parts === undefined) {
    return refused(`${quote(value)} is not a frequency; write one such as 1.5GHz`);
  }
  return applyUnit(value, parts, frequencyUnits, hertzUnitFor(parts.unit));
}

interface QuantityText {
  readonly digits: string;
  readonly space: string;
  readonly unit: string;
}

/** Long strings of digits are no quantity, and would only cost time. */
function splitQuantity(text: string): QuantityText | undefined {
  const match = /^(\d{1,24}(?:\.\d{1,24})?)(\s*)([A-Za-z]{0,12})$/.exec(text);
  if (match === null) return undefined;
  return { digits: match[1] ?? '', space: match[2] ?? '', unit: match[3] ?? '' };
}

/** Gives the amount in the smallest unit. For a unit that is not ours it names the one to write. */
function applyUnit(
  text: string,
  parts: QuantityText,
  units: readonly Unit[],
  meant: string | undefined,
): Parsed<bigint> {
  const unit = units.find((candidate) => candidate.name === parts.unit);
  if (unit !== undefined && parts.space === '') {
    const amount = multiplyExactly(parts.digits, unit.factor);
    return amount === undefined
      ? refused(
          `${quote(text)} is not a whole number of ${units === memoryUnits ? 'bytes' : 'kHz'}`,
        )
      : parsed(amount);
  }
  const known = oneOf(units.map((candidate) => candidate.name));
  if (parts.unit === '') return refused(`${quote(text)} needs a unit: ${known}`);
  if (meant === undefined) {
    return refused(`${quote(text)} has an unknown unit; the units are ${known}`);
  }
  const fault =
    unit === undefined ? `${parts.unit} is not a unit here` : 'no space before the unit';
  return refused(`${quote(text)}: ${fault}; write ${parts.digits}${meant}`);
}

/** Multiplies `1.5` by 2^30; the product is undefined when it has a fraction. */
function multiplyExactly(digits: string, factor: bigint): bigint | undefined {
  const [whole = '0', fraction = ''] = digits.split('.');
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * factor;
  return product % scale === 0n ? product / scale : undefined;
}

/** M, MB, Mi, mib and the like all mean MiB here, since powers of ten are not used for memory. */
function binaryUnitFor(unit: string): string | undefined {
  const letter = /^([kmgt])(?:i?b?|bytes|ibibytes)$/i.exec(unit)?.[1];
  return letter === undefined ? undefined : `${letter.toUpperCase()}iB`;
}

function hertzUnitFor(unit: string): string | undefined {
  const letter = /^([kmg])(?:hz?)?$/i.exec(unit)?.[1]?.toLowerCase();
  const byLetter = frequencyUnits.find((candidate) => candidate.name[0]?.toLowerCase() === letter);
  return (
    byLetter?.name ??
    nearest(
      unit,
      frequencyUnits.map((candidate) => candidate.name),
    )
  );
}

/** Writes bytes as a file has them, in the largest unit that needs no fraction: `1536MiB`. */
export function formatBytes(bytes: bigint): string {
  const unit = memoryUnits.findLast((candidate) => bytes !== 0n && bytes % candidate.factor === 0n);
  return unit === undefined ? `${bytes} bytes` : `${bytes / unit.factor}${unit.name}`;
}

/** Writes bytes to be read: `1.5 GiB`, with at most one decimal. */
export function roundedBytes(bytes: bigint | number): string {
  const value = Number(bytes);
  const { name, factor } = memoryUnits.findLast((unit) => value >= Number(unit.factor)) ?? byte;
  const amount = value / Number(factor);
  return `${Number.isInteger(amount) ? amount : amount.toFixed(1)} ${name}`;
}

/** Writes a frequency as a file has it: `1.5GHz`, `1975MHz`, `33kHz`. */
export function formatKhz(kilohertz: bigint): string {
  if (kilohertz % 100_000n === 0n && kilohertz >= 1_000_000n) {
    return `${Number(kilohertz / 100_000n) / 10}GHz`;
  }
  return kilohertz % 1_000n === 0n ? `${kilohertz / 1_000n}MHz` : `${kilohertz}kHz`;
}

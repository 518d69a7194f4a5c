/** As much of AML as the DSDT needs: ACPI 6.5, chapter 20. */
import { bytesOf, textBytes } from './table.ts';

type Aml = readonly number[];

const op = {
  zero: 0x00,
  name: 0x08,
  byte: 0x0a,
  dword: 0x0c,
  scope: 0x10,
  buffer: 0x11,
  package: 0x12,
};
const deviceOp = [0x5b, 0x82];

/** Names have four letters. */
const nameOf = (name: string): Aml => Buffer.from(name.padEnd(4, '_'), 'latin1').toJSON().data;

export const zero: Aml = [op.zero];
export const byte = (value: number): Aml => [op.byte, value];
export const named = (name: string, value: Aml): Aml => [op.name, ...nameOf(name), ...value];
export const packageOf = (...items: readonly Aml[]): Aml => [
  op.package,
  ...sized([items.length, ...items.flat()]),
];
export const device = (name: string, ...members: readonly Aml[]): Aml => [
  ...deviceOp,
  ...sized([...nameOf(name), ...members.flat()]),
];
/** A scope below the root. */
export const scope = (name: string, ...members: readonly Aml[]): Aml => [
  op.scope,
  ...sized([...textBytes('\\', 1), ...nameOf(name), ...members.flat()]),
];

/** Three letters and four hex digits, which are a product: ACPI 6.5, 19.6.38 "EISAID". */
export function eisaId(id: string): Aml {
  const letters = [...id.slice(0, 3)].map((letter) => letter.charCodeAt(0) - 0x40);
  const vendor = letters.reduce((value, letter) => (value << 5) | letter, 0);
  return [op.dword, vendor >> 8, vendor & 0xff, ...Buffer.from(id.slice(3), 'hex')];
}

/** Resource descriptors: ACPI 6.5, 6.4. */
export const ioPorts = (first: number, count: number): Aml => [
  ...[0x47, 1],
  ...bytesOf([first, 2], [first, 2], [1, 1], [count, 1]),
];
/** Edge triggered, active high. */
export const interrupt = (line: number): Aml => [0x22, ...bytesOf([1 << line, 2])];

export function resources(...descriptors: readonly Aml[]): Aml {
  const endTag = [0x79, 0];
  const content = [...descriptors.flat(), ...endTag];
  return [op.buffer, ...sized([...byte(content.length), ...content])];
}

/** PkgLength counts itself: one byte up to 63, two up to 4095. */
function sized(content: Aml): Aml {
  const short = content.length + 1;
  if (short < 0x40) return [short, ...content];
  const length = content.length + 2;
  if (length > 0xfff) throw new RangeError('AML of more than 4095 bytes');
  return [0x40 | (length & 0xf), length >> 4, ...content];
}

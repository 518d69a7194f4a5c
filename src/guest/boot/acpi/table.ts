/** What all ACPI tables have in common: ACPI 6.5, 5.2.6 "System Description Table Header". */

export const headerBytes = 36;

/** Bytes of integers, lowest first, of so many bytes each. */
export function bytesOf(...fields: readonly (readonly [value: number | bigint, bytes: number])[]) {
  return fields.flatMap(([value, bytes]) =>
    Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn)),
  );
}

export const textBytes = (text: string, bytes: number) => [
  ...Buffer.from(text.padEnd(bytes, ' '), 'latin1'),
];

export function table(signature: string, revision: number, body: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from([
    ...textBytes(signature, 4),
    ...bytesOf([headerBytes + body.length, 4], [revision, 1], [0, 1]),
    ...textBytes('TDCTL', 6),
    ...textBytes(signature, 8),
    ...bytesOf([1, 4]),
    ...textBytes('TDCT', 4),
    ...bytesOf([1, 4]),
    ...body,
  ]);
  const checksumAt = 9;
  bytes[checksumAt] = checksum(bytes);
  return bytes;
}

/** What makes the sum of all bytes 0. */
export function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

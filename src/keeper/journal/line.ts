/**
 * One record as the bytes of a line:
 *
 *   CRC LENGTH JSON\n
 *
 * LENGTH is the number of bytes of JSON, in decimal; CRC is the CRC-32 of all that is between it and the end of the
 * line, as eight hex digits. So half a line and a line that was changed are both seen, and a person can read it.
 */
const lineEnd = 0x0a;
const crcDigits = 8;
/** `CRC ` and as many digits as a length of a line can have, with the space after them. */
const longestHead = crcDigits + 1 + 10 + 1;
const head = /^([0-9a-f]{8}) ([1-9]\d{0,9}) /;

export function lineOf(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const rest = Buffer.concat([Buffer.from(`${json.length} `), json]);
  return Buffer.concat([Buffer.from(`${checksum(rest)} `), rest, Buffer.from('\n')]);
}

export type LineRead =
  | { readonly kind: 'whole'; readonly value: unknown; readonly next: number }
  /** The file ends within the line. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'wrong'; readonly why: string };

/** Reads the line that begins at `start`. */
export function lineAt(bytes: Buffer, start: number): LineRead {
  const end = bytes.indexOf(lineEnd, start);
  const [begin, crc, length] =
    head.exec(bytes.toString('latin1', start, start + longestHead)) ?? [];
  if (end === -1) return { kind: 'torn' };
  if (begin === undefined) return wrong('its length and its checksum cannot be read');
  const from = start + begin.length;
  // A length that leads beyond the end of the line was changed, for no record has a line end in it.
  if (from + Number(length) !== end) return wrong('its length is another');
  if (checksum(bytes.subarray(start + crcDigits + 1, end)) !== crc) {
    return wrong('its checksum is another');
  }
  return { kind: 'whole', value: JSON.parse(bytes.toString('utf8', from, end)), next: end + 1 };
}

function checksum(bytes: Buffer): string {
  // A list of TDs reads no line of most of them.
  const { crc32 } = process.getBuiltinModule('node:zlib');
  return crc32(bytes).toString(16).padStart(crcDigits, '0');
}

function wrong(why: string): LineRead {
  return { kind: 'wrong', why };
}

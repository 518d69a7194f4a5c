/** What values look like in data that is printed: as JSON, as YAML, and in the stream of a watched run. */

/** Rounded to microseconds. Differences of a clock's readings have no more to tell than noise of binary fractions. */
export function roundedMs(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

const isTime = /(^m|M)s$/;

const isSize = /Bytes$/;

/**
 * For JSON.stringify. A size (`…Bytes`) is a number, because all fit; another BigInt, an address or a mask,
 * becomes a hexadecimal string with 0x; a time (`…Ms`, `ms`) is rounded.
 */
export function dataValue(key: string, value: unknown): unknown {
  if (typeof value === 'bigint')
    return isSize.test(key) ? Number(value) : `0x${value.toString(16)}`;
  return typeof value === 'number' && isTime.test(key) ? roundedMs(value) : value;
}

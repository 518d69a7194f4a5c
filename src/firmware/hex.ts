/** Writes addresses, sizes and offsets as messages and output have them: `0xffe20000`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

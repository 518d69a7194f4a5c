/** The way addresses, sizes and offsets are written in messages and in output: `0xffe20000`. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

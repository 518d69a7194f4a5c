/** A mask of the bits from the lowest to the highest of 64. */
export function ones(highest: number, lowest = 0): bigint {
  return ((1n << BigInt(highest - lowest + 1)) - 1n) << BigInt(lowest);
}

/** What ATTRIBUTES and XFAM have in common: a 64-bit mask whose bits have names. */

/** One name as users write it. A feature of several bits is all of them or none. */
export interface Feature {
  readonly name: string;
  readonly mask: bigint;
  readonly meaning: string;
}

/** Why the TDX module refuses a mask, on every release and every host. */
export interface FeatureFinding {
  /** The feature at fault, or `bit N` for a bit without a name. */
  readonly name: string;
  readonly mask: bigint;
  readonly rule: 'reserved' | 'never-allowed' | 'fixed-1' | 'together' | 'requires' | 'excludes';
  /** The rule as a clause that follows the name: `must not be set together with debug`. */
  readonly explanation: string;
}

export function bit(index: number): bigint {
  return 1n << BigInt(index);
}

export function bits(...indexes: readonly number[]): bigint {
  return indexes.reduce((mask, index) => mask | bit(index), 0n);
}

/** All bits that a table gives a name. */
export function unionOf(features: readonly Feature[]): bigint {
  return features.reduce((mask, feature) => mask | feature.mask, 0n);
}

/** Names of the features that are fully in the mask; what is left over comes last, in hex. */
export function featureNames(features: readonly Feature[], mask: bigint): string[] {
  const present = features.filter((feature) => (mask & feature.mask) === feature.mask);
  const rest = mask & ~unionOf(present);
  const names = present.map((feature) => feature.name);
  return rest === 0n ? names : [...names, `0x${rest.toString(16)}`];
}

/** The numbers of the bits that are set, lowest first. */
export function setBits(mask: bigint): number[] {
  const indexes: number[] = [];
  for (let index = 0; mask >> BigInt(index) > 0n; index++) {
    if ((mask & bit(index)) !== 0n) indexes.push(index);
  }
  return indexes;
}

/** A finding for each bit of the mask that no feature of the tables covers. */
export function reservedBitFindings(mask: bigint, known: bigint): FeatureFinding[] {
  return setBits(mask & ~known).map((index) => ({
    name: `bit ${index}`,
    mask: bit(index),
    rule: 'reserved',
    explanation: 'is reserved and must be 0',
  }));
}

/** A finding for each feature of the table that the mask has, fully or in part. */
export function neverAllowedFindings(mask: bigint, features: readonly Feature[]): FeatureFinding[] {
  return features
    .filter((feature) => (mask & feature.mask) !== 0n)
    .map((feature) => ({
      name: feature.name,
      mask: mask & feature.mask,
      rule: 'never-allowed',
      explanation: `(${feature.meaning}) is not allowed in a TD`,
    }));
}

import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  withXfam,
  xfamFindings,
  xfamFixed0,
  xfamFixed1,
  xfamMask,
  xfamNames,
  xfamOfCpuid,
} from '../../src/abi/tdx/xfam.ts';

/** From the module's check_xfam(), written out here a second time. */
function moduleAccepts(xfam: bigint): boolean {
  const bit = (index: number) => (xfam >> BigInt(index)) & 1n;
  return (
    (xfam & ~0x6dbe7n) === 0n &&
    (xfam & 3n) === 3n &&
    (bit(5) === 0n || bit(2) === 1n) &&
    bit(5) === bit(6) &&
    bit(6) === bit(7) &&
    bit(11) === bit(12) &&
    bit(17) === bit(18)
  );
}

const names = Object.keys(xfamMask) as (keyof typeof xfamMask)[];
const ofNames = fc
  .subarray(names)
  .map((some) => some.reduce((mask, name) => mask | xfamMask[name], 0n));

describe('XFAM', () => {
  it('has the fixed masks of the module', () => {
    expect(xfamFixed0).toBe(0x6dbe7n);
    expect(xfamFixed1).toBe(3n);
  });

  it('names whole groups, and gives parts of them in hex', () => {
    expect(xfamNames(0xe7n)).toEqual(['x87', 'sse', 'avx', 'avx512']);
    expect(xfamNames(0x23n)).toEqual(['x87', 'sse', '0x20']);
    expect(xfamNames(0x1bn)).toEqual(['x87', 'sse', 'mpx']);
  });

  propertyTest.prop([
    fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 2n ** 20n }),
      ofNames,
      ofNames.map((mask) => mask | 3n),
    ),
  ])('has findings exactly when the module refuses it', (mask) => {
    expect(xfamFindings(mask).length === 0).toBe(moduleAccepts(mask));
  });

  it('is judged alike over all 2^19 values of the bits that matter', () => {
    let differing = 0;
    for (let value = 0n; value < 1n << 19n; value++) {
      // Bits 0 and 1 are the same for all but a few; they are covered above.
      if ((value & 3n) !== 3n) continue;
      if ((xfamFindings(value).length === 0) !== moduleAccepts(value)) differing += 1;
    }
    expect(differing).toBe(0);
  });

  it('says which rule is broken', () => {
    expect(xfamFindings(0x20n).map(({ name, rule }) => `${name} ${rule}`)).toEqual([
      'x87 fixed-1',
      'sse fixed-1',
      'avx512 together',
      'avx512 requires',
    ]);
  });
});

describe('XFAM in CPUID leaf 0xd', () => {
  propertyTest.prop([fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })])(
    'is read as it was written, whatever the leaf said before',
    (xfam) => {
      const before = withXfam([], ~xfam & 0xffff_ffff_ffff_ffffn);
      expect(xfamOfCpuid(withXfam(before, xfam))).toBe(xfam);
      expect(withXfam(before, xfam)).toHaveLength(2);
    },
  );
});

import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import {
  attributeFindings,
  attributeMask,
  attributeNames,
  attributes,
} from '../../src/abi/tdx/attributes.ts';

/** FIXED0 of module 2.0.08, the widest that is known, from its verify_td_attributes(). */
const widestFixed0 = 0xc000_0000_7801_0041n;
const [debug, migratable, perfmon] = [1n << 0n, 1n << 29n, 1n << 63n];

describe('ATTRIBUTES', () => {
  it('has the bits of the module’s widest mask, and no other', () => {
    expect(attributes.reduce((mask, feature) => mask | feature.mask, 0n)).toBe(widestFixed0);
  });

  it('has SEPT_VE_DISABLE where QEMU sets it', () => {
    expect(attributeMask['sept-ve-disable']).toBe(0x1000_0000n);
  });

  it('names what it knows and gives the rest in hex', () => {
    expect(attributeNames(0x1000_0001n)).toEqual(['debug', 'sept-ve-disable']);
    expect(attributeNames(0x8000_0002n)).toEqual(['kl', '0x2']);
    expect(attributeNames(0n)).toEqual([]);
  });

  propertyTest.prop([fc.subarray(attributes.map((feature) => feature.name))])(
    'is the same as its names',
    (names) => {
      const mask = names.reduce((sum, name) => sum | attributeMask[name], 0n);
      expect(new Set(attributeNames(mask))).toEqual(new Set(names));
    },
  );

  const anyMask = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((mask) => mask & widestFixed0),
  );
  propertyTest.prop([anyMask])('has findings exactly when every module refuses it', (mask) => {
    const isRefused =
      (mask & ~widestFixed0) !== 0n ||
      ((mask & migratable) !== 0n && (mask & (debug | perfmon)) !== 0n);
    expect(attributeFindings(mask).length > 0).toBe(isRefused);
  });

  it('says which bit is at fault and why', () => {
    expect(attributeFindings(0x8000_0002n)).toMatchObject([
      { name: 'bit 1', mask: 2n, rule: 'reserved' },
      { name: 'kl', mask: 0x8000_0000n, rule: 'never-allowed' },
    ]);
    expect(attributeFindings(migratable | debug | perfmon)).toMatchObject([
      { name: 'migratable', rule: 'excludes', explanation: 'must not be set together with debug' },
      {
        name: 'migratable',
        rule: 'excludes',
        explanation: 'must not be set together with perfmon',
      },
    ]);
  });
});

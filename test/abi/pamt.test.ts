/** The size of the metadata that the TDX module keeps of pages. */
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import { canHaveDynamicPamt, pamtCost, pamtPairsBytes } from '../../src/abi/tdx/pamt.ts';

const mib = 1n << 20n;
const gib = 1n << 30n;

test('of 1 GiB is 4 MiB, two pages and a page; dynamically 32 KiB stand for the 4 MiB', () => {
  expect(pamtCost(gib)).toEqual({
    staticBytes: 4n * mib + 8192n + 4096n,
    fixedBytes: 32768n + 8192n + 4096n,
    counterBytes: 4096n,
  });
});

test('is about 0.39 % of the memory, and dynamically a hundredth of that', () => {
  const { staticBytes, fixedBytes } = pamtCost(256n * gib);
  expect(Number(staticBytes) / 2 ** 30).toBeCloseTo(1.002, 3);
  expect(Number(staticBytes) / Number(fixedBytes)).toBeGreaterThan(90);
});

test.each(Object.entries(moduleReleases))('dynamic PAMT of module %s', (name, { features0 }) => {
  expect(canHaveDynamicPamt(features0, 46)).toBe(name === '2.0.08');
  expect(canHaveDynamicPamt(features0, 49)).toBe(false);
});

property.prop([fc.bigInt({ min: 1n, max: 64n * 1024n * gib })])(
  'a host that is full of TDs saves nothing, and one without TDs nearly all',
  (memoryBytes) => {
    const { staticBytes, fixedBytes, counterBytes } = pamtCost(memoryBytes);
    expect(fixedBytes + counterBytes + pamtPairsBytes(memoryBytes)).toBeGreaterThanOrEqual(
      staticBytes,
    );
    // Small arrays are whole pages all the same.
    expect(fixedBytes + counterBytes).toBeLessThanOrEqual(staticBytes / 32n + 16384n);
  },
);

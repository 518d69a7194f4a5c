/** What is kept as ranges answers as one value for each number would. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeMap, RangeSet } from '../../src/simulator/index.ts';

const bits = 64;
const someRange = fc
  .tuple(fc.nat(bits - 1), fc.nat(12))
  .map(([start, length]) => ({ start, end: Math.min(start + length + 1, bits) }));

const isTrue = (bit: boolean) => bit;

describe('a set of ranges', () => {
  test('answers as one bit for each number would (property)', () => {
    const change = fc.record({ range: someRange, isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const ranges = new RangeSet();
        const model = new Array<boolean>(bits).fill(false);
        for (const { range, isAdded } of changes) {
          const { start, end } = range;
          const before = model.slice(start, end);
          expect(ranges.isUniform(range, true)).toBe(before.every(isTrue));
          expect(ranges.isUniform(range, false)).toBe(!before.some(isTrue));
          expect(ranges.countIn(range)).toBe(before.filter(isTrue).length);
          if (isAdded) ranges.add(range);
          else ranges.remove(range);
          model.fill(isAdded, start, end);
          expect(model.map((_, point) => ranges.has(point))).toEqual(model);
        }
        for (const length of [1, 2, 5, 20]) {
          for (const from of [0, 7, 40]) {
            const found = ranges.lowestOf(length, from);
            expect(found?.start).toBe(lowestIn(model, length, from));
            if (found) expect(found.end - found.start).toBe(length);
          }
        }
      }),
    );
  });
});

function lowestIn(model: readonly boolean[], length: number, from: number): number | undefined {
  for (let start = from; start + length <= model.length; start++) {
    if (model.slice(start, start + length).every(isTrue)) return start;
  }
  return undefined;
}

describe('values by range', () => {
  test('are found as by looking at each of them, and never meet (property)', () => {
    fc.assert(
      fc.property(fc.array(someRange, { maxLength: 40 }), fc.infiniteStream(fc.boolean()), run),
    );
    function run(ranges: readonly { start: number; end: number }[], coins: Iterable<boolean>) {
      const map = new RangeMap<number>();
      const model = new Map<number, { start: number; end: number }>();
      const removes = coins[Symbol.iterator]();
      for (const [value, range] of ranges.entries()) {
        const met = [...model].filter(
          ([, { start, end }]) => start < range.end && range.start < end,
        );
        const inOrder = met.sort(([, a], [, b]) => a.start - b.start).map(([each]) => each);
        expect([...map.meeting(range)]).toEqual(inOrder);
        if (met.length > 0) {
          expect(() => map.add(range, value)).toThrow('meets');
          const [first] = met;
          if (first === undefined || removes.next().value !== true) continue;
          map.removeAt(first[1].start);
          model.delete(first[0]);
        } else {
          map.add(range, value);
          model.set(value, range);
        }
        for (let point = 0; point < bits; point++) {
          const holder = [...model].find(([, { start, end }]) => point >= start && point < end);
          expect(map.at(point)).toBe(holder?.[0]);
        }
      }
    }
  });
});

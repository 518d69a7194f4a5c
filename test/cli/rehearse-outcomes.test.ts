/** The squares of the rehearsal's page: outcomes are told apart by letter and by colour. */
import { expect, test } from 'vitest';
import { outcomeStyles } from '../../src/cli/rehearse/page/outcome-styles.ts';
import { gradeOf } from '../../src/rehearsal/index.ts';

const outcomes = Object.keys(gradeOf) as (keyof typeof gradeOf)[];

test('each outcome has a letter that no other has', () => {
  expect(new Set(outcomes.map((outcome) => outcomeStyles[outcome].letter)).size).toBe(
    outcomes.length,
  );
});

test.each(['light', 'dark'] as const)('no two colours are alike to the eye, %s', (theme) => {
  const alike = outcomes.flatMap((one, index) =>
    outcomes.slice(index + 1).flatMap((other) => {
      const apart = distance(outcomeStyles[one][theme], outcomeStyles[other][theme]);
      return apart < 20 ? [`${one} and ${other}: ${apart.toFixed(0)}`] : [];
    }),
  );
  expect(alike).toEqual([]);
});

test('the distance tells the two blues apart that this page once had', () => {
  expect(distance('#7fa8ff', '#6fa3ef')).toBeLessThan(10);
});

/** CIE76: the distance of two colours in CIELAB, of which about 2 can just be seen. */
function distance(one: string, other: string): number {
  const [l = 0, a = 0, b = 0] = lab(one);
  const [l2 = 0, a2 = 0, b2 = 0] = lab(other);
  return Math.hypot(l - l2, a - a2, b - b2);
}

function lab(hex: string): number[] {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const [x = 0, y = 0, z = 0] = [
    (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
    0.2126 * red + 0.7152 * green + 0.0722 * blue,
    (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
  ].map((part) => (part > 0.008856 ? Math.cbrt(part) : 7.787 * part + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

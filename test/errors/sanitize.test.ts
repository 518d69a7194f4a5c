import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { sanitize } from '../../src/errors/sanitize.ts';

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
  ),
});

test.prop([anyText])(
  'what is printed is one line, and no character turns, hides or ends it',
  (text) => {
    const printed = sanitize(text);
    expect(printed).not.toMatch(/[\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\n\r]/u);
    expect(printed.replaceAll('\t', '')).not.toMatch(/\p{Cc}/u);
    expect(printed).not.toMatch(/[\u{e0000}-\u{e007f}]/u);
  },
);

test.prop([anyText])('what has been made safe stays as it is', (text) => {
  expect(sanitize(sanitize(text))).toBe(sanitize(text));
});

test.each([
  ['a direction mark of Arabic', 'a\u061cb', 'a\\u{61c}b'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a paragraph separator', 'a\u2029b', 'a\\u{2029}b'],
  ['an invisible tag', 'a\u{e0041}b', 'a\\u{e0041}b'],
  ['half of a pair', 'a\ud800b', 'a\\u{d800}b'],
  ['an escape sequence', '\u001b[31m', '\\u{1b}[31m'],
])('%s is shown by its number', (_, text, shown) => expect(sanitize(text)).toBe(shown));

test.each(['naïve café', '日本語', 'می‌خواهم', '🧑‍🚀', 'a\tb'])('%s is left alone', (text) =>
  expect(sanitize(text)).toBe(text),
);

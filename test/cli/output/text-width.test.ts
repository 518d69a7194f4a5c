/** Text that string-width and wrap-ansi are not asked about is measured and broken as they would. */
import { fc, test } from '@fast-check/vitest';
import stringWidth from 'string-width';
import { expect } from 'vitest';
import wrapAnsi from 'wrap-ansi';
import { cutAtWidth, textWidth, wrapAtBlanks } from '../../../src/cli/output/text-width.ts';

const everyCharacter = Array.from({ length: 0x2800 }, (_, code) => String.fromCharCode(code));
const colours = fc.constantFrom('\u001b[31m', '\u001b[1;4m', '\u001b[39m');
const parts = fc.oneof(
  fc.constantFrom(' ', '  ', '-', '✓', '·', '–', '→', '日', '👍🏽', '✂️', 'e\u0301', '\u200d'),
  fc.string({ maxLength: 9 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  colours,
);
const text = fc.array(parts, { maxLength: 30 }).map((each) => each.join(''));

test('each character by itself, and beside a letter', () => {
  const told = everyCharacter.filter(
    (character) =>
      textWidth(character) !== stringWidth(character) ||
      textWidth(`a${character}b`) !== stringWidth(`a${character}b`),
  );
  expect(told).toEqual([]);
});

test.prop([text])('any text has the width that string-width says', (text) => {
  expect(textWidth(text)).toBe(stringWidth(text));
});

test.prop([text, fc.integer({ min: 1, max: 60 })])(
  'any text breaks where wrap-ansi breaks it',
  (text, width) => {
    expect(wrapAtBlanks(text, width)).toEqual(wrapAnsi(text, width).split('\n'));
  },
);

test.prop([text, fc.integer({ min: 2, max: 60 })])(
  'any text is cut into full rows where wrap-ansi cuts it',
  (text, width) => {
    const options = { hard: true, trim: false, wordWrap: false };
    expect(cutAtWidth(text, width)).toEqual(wrapAnsi(text, width, options).split('\n'));
  },
);

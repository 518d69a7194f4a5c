import fc from 'fast-check';

const traps = [
  '"',
  "'",
  '<',
  '>',
  '&',
  '--',
  '-->',
  '\n',
  '\r\n',
  '\t',
  '\\',
  '\\n',
  '#',
  '%%',
  ';',
  ':',
  '::',
  '[*]',
  '{',
  '}',
  '</script>',
  '</text>',
  ']]>',
  '<!--',
  '@enduml',
  '<U+0041>',
  'end',
  'state',
  'note',
  'سلام',
  'שלום',
  '\u202e',
  '漢字',
  '🙂',
  'é',
  ' ',
  '_x41_',
  '*',
  'constructor',
  '\u0000',
  '\u001b[31m',
  '$&',
  '`',
  '$' + '{x}',
];

/** Text that means something to at least one of the formats, or reads from right to left. */
export const difficultText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...traps), fc.string({ unit: 'grapheme', maxLength: 6 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(''));

/** Different from one another: made unique by their place. */
export const difficultNames: fc.Arbitrary<(at: number) => string> = fc
  .array(difficultText, { minLength: 1, maxLength: 8 })
  .map((names) => (at: number) => `${names[at % names.length]}${at}`);

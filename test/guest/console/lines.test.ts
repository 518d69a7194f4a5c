import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsoleLines } from '../../../src/guest/index.ts';

test.each([
  ['as Linux ends them', 'one\r\ntwo\r\n', ['one', 'two']],
  ['as EFI ends them', 'one\n\rtwo\n\r', ['one', 'two']],
  ['an empty line', 'one\n\ntwo\n', ['one', '', 'two']],
  ['one that goes on without an end', 'one\ntwo', ['one']],
])('lines %s', (_, text, expected) => {
  const shown = new ConsoleLines().add(Buffer.from(text));
  expect(shown.map((line) => line.text)).toEqual(expected);
});

test('a prompt is shown before its line ends, and what follows goes on with it', () => {
  const lines = new ConsoleLines();
  expect(lines.add(Buffer.from('login: '))).toEqual([]);
  expect(lines.openLine()).toEqual([{ text: 'login: ', goesOn: false }]);
  expect(lines.openLine()).toEqual([]);
  expect(lines.add(Buffer.from('root\nwelcome\n'))).toEqual([
    { text: 'root', goesOn: true },
    { text: 'welcome', goesOn: false },
  ]);
});

test('however the bytes are cut, the text is the same, also within a character (property)', () => {
  const text = fc
    .array(fc.constantFrom('a', 'ü', '│', '😀', '\n', '\t'))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(20)), (whole, cuts) => {
      const bytes = Buffer.from(`${whole}\n`);
      const lines = new ConsoleLines();
      const shown: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        shown.push(...lines.add(bytes.subarray(at, at + cut)).map((line) => line.text));
        at += cut;
      }
      expect(shown).toEqual(whole.split('\n'));
    }),
  );
});

test('a line that never ends is shown in parts, and nobody holds more than one part', () => {
  const lines = new ConsoleLines();
  const shown = lines.add(Buffer.alloc(1_000_000, 'x'));
  expect(shown.every((line) => line.text.length <= 4096)).toBe(true);
  const rest = lines.openLine();
  expect([...shown, ...rest].reduce((sum, line) => sum + line.text.length, 0)).toBe(1_000_000);
  expect([...shown, ...rest].map((line) => line.goesOn).indexOf(false)).toBe(0);
  expect(shown.filter((line) => !line.goesOn)).toHaveLength(1);
});

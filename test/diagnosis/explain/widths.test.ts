/** A message is known wherever a terminal or a mail client cut it, and whatever stands around it. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { rows } from '../../../src/diagnosis/explain/messages/find.ts';
import type { Message } from '../../../src/diagnosis/explain/messages/message.ts';
import { diagnose, ids } from './read-fixture.ts';

const answered = rows().filter(({ message }) => message.answer !== undefined);

const idsOf = ({ answer, inGuest, codes }: Message): readonly (string | undefined)[] => [
  answer?.id,
  inGuest?.id,
  ...(codes ?? []).flatMap((table) => table.codes.map((code) => code.answer.id)),
];

const anyMessage = fc.constantFrom(...answered);
const anyWidth = fc.integer({ min: 16, max: 120 });

const cut = (text: string, width: number) => text.match(new RegExp(`.{1,${width}}`, 'gs')) ?? [];

/** As a mail client does: at spaces, and inside words only where one is longer than the line. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(...(word.length > width ? cut(word, width) : [word]));
  }
  return lines;
}

const quote = (lines: readonly string[], marks: string) => lines.map((line) => `${marks}${line}`);

const layouts: Readonly<Record<string, (text: string, width: number) => readonly string[]>> = {
  'a terminal': cut,
  'a terminal, in a log': (text, width) => cut(`[   12.345678] ${text}`, width),
  'a mail': wrap,
  'a mail that was answered': (text, width) => quote(wrap(text, width), '> '),
  'a mail that was answered twice': (text, width) => quote(wrap(text, width), '>> '),
  'a mail with an indented log': (text, width) => quote(wrap(text, width), '    '),
};

const around = fc.constantFrom(
  [[], []],
  [['[   12.000000] usb 1-1: new device', ''], []],
  [
    ['see below, it fails:', ''],
    ['', 'Any idea?'],
  ],
  [[], ['[   12.400000] usb 1-1: new device']],
);

describe.each(Object.keys(layouts))('in %s', (layout) => {
  property.prop([anyMessage, anyWidth, around], { numRuns: 300 })(
    'of any width a message has the answer of its line',
    async ({ message, wording }, width, [before = [], after = []]) => {
      const lines = layouts[layout]?.(wording.print(), width) ?? [];
      const found = ids(await diagnose([...before, ...lines, ...after].join('\n')));
      expect(found.filter((id) => idsOf(message).includes(id))).not.toEqual([]);
    },
  );
});

describe('several messages', () => {
  const separate = (texts: readonly string[]) =>
    texts.map((text, index) => `[   ${12 + index}.000001] ${text}`).join('\n');

  property.prop([fc.array(anyMessage, { minLength: 2, maxLength: 6 })], { numRuns: 300 })(
    'in one log each have the answer that they have alone',
    async (messages) => {
      const texts = messages.map(({ wording }) => wording.print());
      const alone = await Promise.all(
        texts.map(async (text) => ids(await diagnose(separate([text])))),
      );
      const together = ids(await diagnose(separate(texts)));
      // What a log says as a whole, and what is said of a TD, hangs on more than one line.
      const ofLines = alone.flat().filter((id) => !/^(log|guest)\./.test(id));
      expect(ofLines.filter((id) => !together.includes(id) && !isOfPlace(messages, id))).toEqual(
        [],
      );
    },
  );

  /** In the log of a TD the same words mean something else. */
  const isOfPlace = (messages: readonly { readonly message: Message }[], id: string) =>
    messages.some(({ message }) => message.inGuest !== undefined && message.answer?.id === id);
});

test('a number at the end of a line is not read on into the next line', async () => {
  const log = [
    '        Error: App: tdx_qv_verify_quote failed: 0xe022',
    '        Error: Ecall: Verify QvE report and identity failed. 0xe013',
    '        Error: App: Verification completed with Terminal result: a006',
  ];
  expect(ids(await diagnose(log.join('\n')))[0]).toBe('verify.chain');
});

test('a number that a terminal cut is read as one', async () => {
  const log = cut('tee_verify_quote failed: 0xe022', 29);
  expect(ids(await diagnose(log.join('\n')))).toEqual(['verify.chain']);
});

/** Whatever the table knows is found in whatever form it comes. */
import { describe, expect, test } from 'vitest';
import { explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { rows } from '../../../src/diagnosis/explain/messages/find.ts';
import type { Message } from '../../../src/diagnosis/explain/messages/message.ts';
import { diagnose, ids } from './read-fixture.ts';

const json = JSON.stringify;
const cutAt = (width: number) => (text: string) =>
  text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];

/** A mail client: at spaces, and anywhere where there are none. */
function wrapped(text: string, width: number): readonly string[] {
  return text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)|\\S{1,${width}}`, 'g')) ?? [];
}

const forms: Readonly<Record<string, (text: string) => string | Uint8Array>> = {
  'a line': (text) => text,
  dmesg: (text) => `[   12.345678] ${text}\r\n`,
  'dmesg -x': (text) => `kern  :err   : [   12.345678][    T1] ${text}`,
  'journalctl, of a host whose name says nothing': (text) =>
    `Nov 21 09:53:18 tdx-qgs-failed prog[1]: ${text}`,
  'journalctl in another language': (text) => `nov. 21 09:53:18 host1 prog[1]: ${text}`,
  'journalctl -o short-iso': (text) => `2026-11-21T09:53:18+0000 host1 prog[1]: ${text}`,
  'journalctl -o json': (text) => json({ _HOSTNAME: 'host1', MESSAGE: text, PRIORITY: '3' }),
  'journalctl -o json, as bytes': (text) =>
    json({ MESSAGE: [...Buffer.from(`\u001b[31m${text}\u001b[0m`)], PRIORITY: '3' }),
  'journalctl -o json-pretty': (text) => `{\n\t"PRIORITY" : "3",\n\t"MESSAGE" : ${json(text)}\n}`,
  'RFC 5424': (text) => `<34>1 2026-11-21T09:53:18.003Z host1 prog 12 ID47 - ${text}`,
  CRI: (text) => `2026-11-21T09:53:18.123456789Z stderr F ${text}`,
  'CRI in parts': (text) =>
    [text.slice(0, text.indexOf(' ', 8) + 1), text.slice(text.indexOf(' ', 8) + 1)]
      .map((part, index) => `2026-11-21T09:53:18.123Z stderr ${index === 0 ? 'P' : 'F'} ${part}`)
      .join('\n'),
  docker: (text) => json({ log: `${text}\n`, stream: 'stderr', time: '2026-11-21T09:53:18Z' }),
  'JSON of Kata': (text) => json({ level: 'error', msg: 'start failed', error: text }),
  'key=value of containerd': (text) =>
    `time="2026-11-21T09:53:18Z" level=error msg="start failed" error=${json(text)}`,
  'colours inside words': (text) => text.replace(/(\w\w)(\w)/g, '$1\u001b[1;31m$2\u001b[0m'),
  'no-break spaces': (text) => text.replaceAll(' ', '\u00a0'),
  'UTF-16 with a byte order mark': (text) => Buffer.from(`\ufeff${text}\n`, 'utf16le'),
  'UTF-16, big end first': (text) => Buffer.from(`\ufeff${text}\n`, 'utf16le').swap16(),
  'a quoted mail': (text) =>
    wrapped(`[   12.345678] ${text}`, 60)
      .map((line) => `> > ${line}`)
      .join('\n'),
  'a narrow mail': (text) => wrapped(text, 24).join('\n'),
  'a terminal of 30 columns': (text) => cutAt(30)(text).join('\n'),
  'a terminal of 31 columns, in a log': (text) =>
    cutAt(31)(`[    1.000000] usb: x\n[   12.345678] ${text}`).join('\n'),
};

const answered = rows().filter(({ message }) => message.answer !== undefined);

const idsOf = ({ answer, inGuest, codes }: Message): readonly (string | undefined)[] => [
  answer?.id,
  inGuest?.id,
  ...(codes ?? []).flatMap((table) => table.codes.map((code) => code.answer.id)),
];

/** Where the message has other words before it, it is no line of its own. */
const isFound = (name: string, { text }: { readonly text: string }) =>
  !(text.startsWith('^') && /Kata|key=value/.test(name));

describe.each(Object.keys(forms))('in the form of %s', (name) => {
  test('every message of the table is found', async () => {
    const missed: string[] = [];
    for (const { message, wording } of answered.filter((row) => isFound(name, row.wording))) {
      const log = forms[name]?.(wording.print()) ?? '';
      const found = ids(await diagnose(log));
      if (!idsOf(message).some((id) => id !== undefined && found.includes(id)))
        missed.push(wording.text);
    }
    expect(missed).toEqual([]);
  });
});

test('every message is answered by itself first when it is typed', () => {
  const other = answered.filter(({ message, wording }) => {
    const [first] = explainTyped(wording.print()).explanations;
    return !idsOf(message).includes(first?.answer.id);
  });
  expect(other.map(({ wording }) => wording.text)).toEqual([]);
});

test('every sentence with values in it has them', () => {
  for (const { message, wording } of answered) {
    const values = wording.find(wording.print())?.values ?? {};
    expect(JSON.stringify(message.say?.(values) ?? {})).not.toContain('undefined');
  }
});

test('every code that a message may print has its own answer, in hex as in decimal', () => {
  for (const { message, wording } of answered) {
    for (const { base, codes } of message.codes ?? []) {
      for (const { code, answer } of codes) {
        const printed = wording.print({ code: code.toString(base) });
        expect(explainTyped(printed).explanations[0]?.answer, printed).toEqual(answer);
      }
    }
  }
});

test('no table has two answers for one code', () => {
  for (const table of new Set(answered.flatMap(({ message }) => message.codes ?? []))) {
    const codes = table.codes.map(({ code }) => code);
    expect(codes, table.title).toEqual([...new Set(codes)]);
  }
});

test('a code of the quote service is known by its number alone, typed', () => {
  const first = (text: string) => explainTyped(text).explanations[0]?.answer.id;
  expect(first('0xb033')).toBe('qcnl.pccs-certificate-not-trusted');
  expect(first('0xE047')).toBe('qpl.platform-unknown');
  expect(first('0x11001')).toBe('attestation.unexpected');
  expect(first('0x12001')).toBe('qgs.answers-without-quote');
  // Small numbers are codes of everything.
  expect(first('0x0008')).toBeUndefined();
});

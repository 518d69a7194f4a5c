/** Any bytes at all give an answer or a clear "not known". */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { allAnswers, explainLog, explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { decodeWord } from '../../../src/diagnosis/explain/status/decode-word.ts';
import { explainStatus } from '../../../src/diagnosis/explain/status/explain-status.ts';
import { diagnose, dmesg, ids } from './read-fixture.ts';

const fixtures = [
  'bios-too-old',
  'module-too-old',
  'reserved-areas',
  'nothing-after-bios-enabled',
  'working',
  'generic-kernel',
  'reclaim-race',
].map(dmesg);
const words = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const answerIds = new Set(allAnswers().map(({ id }) => id));

// biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the property
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

describe('a status word', () => {
  property.prop([words])('is decoded whatever its bits', (word) => {
    const { decoded, answer } = explainStatus(word);
    expect(decoded.error).toBe(word >> 63n === 1n);
    expect(decoded.className).toBeTruthy();
    expect(answer !== undefined).toBe(decoded.name !== undefined);
  });

  property.prop([words])('reads the same from every form it may be typed in', (word) => {
    const digits = word.toString(16).padStart(16, '0');
    const grouped = digits.match(/.{4}/g)?.join('_');
    const forms = [
      `0x${digits}`,
      digits.toUpperCase(),
      `0x${grouped}`,
      `"0x${digits}"`,
      `${digits},`,
    ];
    for (const form of forms) {
      const { explanations, notKnown } = explainTyped(form);
      const [found] = [...explanations, ...notKnown];
      expect(found?.status?.decoded).toEqual(decodeWord(word));
    }
  });

  test('of an unknown class is decoded as far as its bits go', () => {
    const { explanations, notKnown } = explainTyped('0xC0004200DEADBEEF');
    expect(explanations).toEqual([]);
    expect(notKnown[0]?.status?.decoded).toMatchObject({
      name: undefined,
      classNumber: 0x42,
      className: 'not known',
      recovery: 'no-retry',
      details: 0xdeadbeef,
    });
  });
});

/** Lines that look right in part: what a careless log rotation or a person makes of them. */
const nearlyLines = fc
  .array(
    fc.constantFrom(
      'SEAMCALL (0x',
      '0000000000000021) failed: ',
      '0xc00009000000',
      'TDX ioctl ',
      'KVM_TDX_INIT_VM',
      'INIT_MEM_REGION',
      'hw_errors: 0x',
      ': Invalid argument',
      '-28',
      'ENOSPC ',
      'virt/tdx: ',
      'BIOS enabled: private KeyID range [',
      '99999999999999999999, 0)',
      'HKID ',
      'module initialization failed (-',
      'KVM_CAP_',
      'leaf 99999 ',
      '\u001b[31m',
      '\r',
      '\u0000',
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('text', () => {
  property.prop([nearlyLines])(
    'that is only nearly right is answered all the same',
    async (text) => {
      const typed = explainTyped(text);
      const logged = await diagnose(text);
      for (const { answer } of [...typed.explanations, ...logged.explanations]) {
        expect(answerIds).toContain(answer.id);
      }
      for (const { text: shown } of [...typed.explanations, ...typed.notKnown]) {
        expect(shown ?? '').not.toMatch(controls);
      }
    },
  );

  property.prop([fc.string({ unit: 'binary', maxLength: 400 })])(
    'of any kind is answered, and what is shown is harmless',
    (text) => {
      const { explanations, notKnown } = explainTyped(text);
      for (const { answer } of explanations) expect(answerIds).toContain(answer.id);
      for (const { text: shown } of [...explanations, ...notKnown]) {
        expect(shown ?? '').not.toMatch(controls);
      }
    },
  );

  property.prop([
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
  ])(
    'around a known line does not reach the terminal as control characters',
    async (before, after) => {
      const noBreak = (part: string) => part.replace(/[\r\n]/g, '\u001b');
      const line = `${noBreak(before)} virt/tdx: module not loaded ${noBreak(after)}\u001b[2J`;
      const { explanations } = await diagnose(line);
      expect(explanations[0]?.text).toContain('module not loaded');
      expect(explanations[0]?.text).not.toMatch(controls);
    },
  );
});

describe('a log', () => {
  property.prop([fc.uint8Array({ maxLength: 4000 })])(
    'of binary junk is read to its end',
    async (junk) => {
      const { linesRead } = await diagnose(junk);
      expect(linesRead).toBeGreaterThanOrEqual(0);
    },
  );

  property.prop([fc.constantFrom(...fixtures), fc.array(fc.nat(), { maxLength: 12 })])(
    'gives the same answers wherever its bytes are cut into chunks',
    async (bytes, places) => {
      expect(ids(await diagnose(...cut(bytes, places)))).toEqual(ids(await diagnose(bytes)));
    },
  );

  property.prop([fc.constantFrom(...fixtures), fc.nat()])(
    'that ends in the middle of a line is answered',
    async (bytes, end) => {
      const { explanations } = await diagnose(bytes.subarray(0, end % bytes.length));
      for (const { answer } of explanations) expect(answerIds).toContain(answer.id);
    },
  );

  test.each(['\n', '\r\n', '\r'])('may end its lines with %j', async (end) => {
    for (const bytes of fixtures) {
      const text = bytes.toString().replaceAll('\n', end);
      expect(ids(await diagnose(text))).toEqual(ids(await diagnose(bytes)));
    }
  });

  test('CRLF that is cut between its two bytes is one end of line', async () => {
    const { linesRead, explanations } = await diagnose('a\r', '\nTDX module not loaded\r', '\n');
    expect(linesRead).toBe(2);
    expect(explanations[0]?.line).toBe(2);
  });

  test('counts a repeated line instead of repeating it', async () => {
    const { explanations } = await diagnose(dmesg('reclaim-race'));
    expect(explanations).toHaveLength(1);
    expect(explanations[0]).toMatchObject({ line: 1, count: 3 });
  });

  test('with endlessly many different words is cut off, and says so', async () => {
    const lines = Array.from(
      { length: 1000 },
      (_, index) => `SEAMCALL (0x9) failed: 0xc0000100${index.toString(16).padStart(8, '0')}\n`,
    );
    const { explanations, left } = await diagnose(...lines);
    expect(explanations).toHaveLength(200);
    expect(left).toBe(800);
  });

  test('one line without end takes no more memory than its beginning', async () => {
    function* endless() {
      yield Buffer.from('TDX module not loaded ');
      for (let chunk = 0; chunk < 200; chunk += 1) yield Buffer.alloc(65536, 'x');
      yield Buffer.from('\nTDX module not loaded');
    }
    const { linesRead, explanations } = await explainLog(endless());
    expect(linesRead).toBe(2);
    expect(explanations).toMatchObject([
      { line: 1, count: 2, answer: { id: 'module.not-loaded' } },
    ]);
  });

  test('of 50 MB is read once and in bounded memory', async () => {
    const block = Buffer.from(
      `${dmesg('reclaim-race').toString()}${'[    1.0] usb 1-1: new device\n'.repeat(2000)}`,
    );
    let given = 0;
    let mostHeapBytes = 0;
    async function* log() {
      for (; given < 50 * 1024 * 1024; given += block.length) {
        mostHeapBytes = Math.max(mostHeapBytes, process.memoryUsage().heapUsed);
        yield block;
      }
    }
    const heapBytes = process.memoryUsage().heapUsed;
    const { explanations } = await explainLog(log());
    expect(ids({ explanations })).toEqual(['seamcall.page-reclaim.race']);
    expect(explanations[0]?.count).toBe(3 * Math.ceil(given / block.length));
    // Lines of one chunk may wait for the collector; the log as a whole never does.
    expect(mostHeapBytes - heapBytes).toBeLessThan(60 * 1024 * 1024);
  });
});

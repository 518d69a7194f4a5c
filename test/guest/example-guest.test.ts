/** The judge of the example guest's console: what it hears, whatever the pieces, and what it does not excuse. */
import '../support/seed.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ExampleGuestJudge,
  type ExampleGuestVerdict,
  exampleGuestVcpus,
  readExampleGuestLine,
} from '../../src/guest/example-guest.ts';

interface Piece {
  readonly bytes: Uint8Array;
  readonly lostBytes: number;
}

const none = { total: 0, items: [] };
const bytesOf = (lines: readonly string[]) =>
  Buffer.from(lines.map((line) => `${line}\r\n`).join(''));

function heard(pieces: Iterable<Piece>): ExampleGuestVerdict {
  const judge = new ExampleGuestJudge();
  for (const { bytes, lostBytes } of pieces) judge.hear(bytes, lostBytes);
  return judge.verdict();
}

const whole = (lines: readonly string[]) => heard([{ bytes: bytesOf(lines), lostBytes: 0 }]);

/** Cuts bytes at any places; what lies between two odd places may be dropped, which is told. */
function cut(bytes: Uint8Array, places: readonly number[], drops: readonly boolean[]): Piece[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  at.sort((a, b) => a - b);
  const pieces: Piece[] = [];
  for (const [index, from] of at.slice(0, -1).entries()) {
    const piece = bytes.subarray(from, at[index + 1]);
    if (drops[index]) pieces.push({ bytes: new Uint8Array(), lostBytes: piece.length });
    else pieces.push({ bytes: piece, lostBytes: 0 });
  }
  return pieces;
}

const vcpuNumber = fc.nat({ max: exampleGuestVcpus - 1 });
/** In what order vCPUs speak, each its hello first and then its counts. */
const speakers = fc.array(vcpuNumber, { minLength: 1, maxLength: 60 });
const words = fc.stringMatching(/^[ -~é]{1,40}$/);

function spoken(order: readonly number[]): string[] {
  const counts = new Map<number, number>();
  return order.map((vcpu) => {
    const count = counts.get(vcpu) ?? 0;
    counts.set(vcpu, count + 1);
    return count === 0 ? `hello from vcpu ${vcpu} of a plain VM` : `vcpu ${vcpu} count ${count}`;
  });
}

const places = fc.array(fc.nat(), { maxLength: 12 });
const drops = fc.array(fc.boolean(), { minLength: 13, maxLength: 13 });

describe('the judge of the example guest', () => {
  test('hears the same, whatever pieces the bytes come in', () => {
    const anyLine = fc.oneof(
      words,
      speakers.map(([vcpu]) => `vcpu ${vcpu} LOST x87 control`),
      words.map((text) => `you said: ${text}`),
    );
    fc.assert(
      fc.property(speakers, fc.array(anyLine, { maxLength: 5 }), places, (order, others, at) => {
        const lines = [...spoken(order), ...others];
        const pieces = cut(bytesOf(lines), at, []);
        expect(heard(pieces)).toEqual(whole(lines));
      }),
    );
  });

  test('finds nothing wrong with a guest that counts on, in any order of its vCPUs', () => {
    fc.assert(
      fc.property(speakers, (order) => {
        const { vcpus, garbled } = whole(spoken(order));
        expect(garbled).toEqual(none);
        expect(vcpus.map(({ vcpu }) => vcpu)).toEqual([...new Set(order)].sort((a, b) => a - b));
        for (const { vcpu, counts, first, last, ...rest } of vcpus) {
          const spokenOf = order.filter((each) => each === vcpu).length - 1;
          expect(counts).toBe(spokenOf);
          if (spokenOf > 0) expect({ first, last }).toEqual({ first: 1, last: spokenOf });
          expect(rest).toMatchObject({ hellos: 1, gaps: none, repeats: none, lost: none });
        }
      }),
    );
  });

  test('names each count that is missing, or that comes again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (counts) => {
        const { vcpus } = whole([
          'hello from vcpu 3 of a TD',
          ...counts.map((count) => `vcpu 3 count ${count}`),
        ]);
        const pairs = counts.map((before, at) => ({ after: counts[at - 1] ?? 0, before }));
        const gaps = pairs.filter(({ after, before }) => before > after + 1);
        const repeats = pairs.filter(({ after, before }) => before <= after);
        expect(vcpus).toMatchObject([
          {
            vcpu: 3,
            inTd: true,
            gaps: { total: gaps.length, items: gaps.slice(0, 16) },
            repeats: { total: repeats.length, items: repeats.slice(0, 16) },
            excused: none,
          },
        ]);
      }),
    );
  });

  test('blames nobody for bytes that the host has told to be lost', () => {
    fc.assert(
      fc.property(speakers, places, drops, (order, at, dropped) => {
        const pieces = cut(bytesOf(spoken(order)), at, dropped);
        const verdict = heard(pieces);
        expect(verdict.lostBytes).toBe(
          pieces.reduce((total, { lostBytes }) => total + lostBytes, 0),
        );
        expect(verdict.garbled).toEqual(none);
        for (const vcpu of verdict.vcpus) {
          expect(vcpu).toMatchObject({ gaps: none, repeats: none, lost: none });
        }
      }),
    );
  });

  test('does not excuse more lines than were in the lost bytes', () => {
    const before = bytesOf(['vcpu 0 count 1']);
    const { vcpus } = heard([
      { bytes: before, lostBytes: 2 * before.length },
      { bytes: bytesOf(['', 'vcpu 0 count 100']), lostBytes: 0 },
    ]);
    expect(vcpus).toMatchObject([{ gaps: { total: 1, items: [{ after: 1, before: 100 }] } }]);
  });

  test('takes bytes that are missing without a word for what they are', () => {
    // A byte in the middle of a line is gone: the line says something else, or nothing.
    fc.assert(
      fc.property(fc.nat({ max: 14 }), (at) => {
        const lines = bytesOf(['hello from vcpu 0 of a TD', 'vcpu 0 count 1', 'vcpu 0 count 2']);
        const from = lines.length - 'vcpu 0 count 2\r\n'.length + at;
        const bytes = Buffer.concat([lines.subarray(0, from), lines.subarray(from + 1)]);
        const { vcpus, garbled } = heard([{ bytes, lostBytes: 0 }]);
        const blamed =
          garbled.total +
          vcpus.reduce((total, { gaps, repeats }) => total + gaps.total + repeats.total, 0);
        // The CR alone is no part of what a line says.
        expect(blamed).toBe(at === 14 ? 0 : 1);
      }),
    );
  });

  test('says what was lost by whom, that it panicked and that it said goodbye', () => {
    const verdict = whole([
      'hello from vcpu 0 of a TD',
      'vcpu 0 LOST ymm15',
      'vcpu 2 LOST x87 control',
      'vcpu 2 LOST exception 13 at 4294906368',
      'panic: out of coffee',
      'goodbye',
    ]);
    expect(verdict).toMatchObject({ goodbye: true, panic: 'out of coffee', garbled: none });
    expect(verdict.vcpus.map(({ vcpu, lost }) => [vcpu, lost.items])).toEqual([
      [0, ['ymm15']],
      [2, ['x87 control', 'exception 13 at 4294906368']],
    ]);
  });

  test('keeps little of a guest that writes without end', () => {
    const judge = new ExampleGuestJudge();
    for (let piece = 0; piece < 200; piece += 1) judge.hear(Buffer.alloc(65536, 0x78));
    for (let line = 0; line < 1000; line += 1) judge.hear(Buffer.from('\nvcpu 99 count 1\nx'));
    const { garbled, vcpus } = judge.verdict();
    expect(vcpus).toEqual([]);
    expect(garbled.total).toBe(2000);
    expect(JSON.stringify(garbled).length).toBeLessThan(10_000);
  });

  test('reads each of its lines, and no other', () => {
    expect(readExampleGuestLine('vcpu 7 count 12')).toEqual({ kind: 'count', vcpu: 7, count: 12 });
    for (const other of ['', 'vcpu 7 count', 'vcpu 7 count 012', ' vcpu 7 count 1', 'Goodbye']) {
      expect(readExampleGuestLine(other)).toBeUndefined();
    }
    fc.assert(
      fc.property(words, (text) => {
        expect(readExampleGuestLine(`you said: ${text}`)).toEqual({ kind: 'said', text });
      }),
    );
  });
});

/** What a slow reader of a console gets: the newest bytes, and where how many are missing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backlog, bytesOf, gapInWords } from '../../../src/guest/index.ts';

test('what is lost is told at the place where it is missing, and no byte is counted twice or not at all (property)', () => {
  const push = fc.record({ bytes: fc.nat(40), lost: fc.nat(5), isTaken: fc.boolean() });
  fc.assert(
    fc.property(fc.array(push), fc.integer({ min: 1, max: 60 }), (pushes, bound) => {
      const backlog = new Backlog(bound);
      // Each byte that is printed is numbered, and so its place says what is missing before it.
      let printed = 0;
      let place = 0;
      const take = () => {
        let held = 0;
        for (const { lostBytes, bytes } of backlog.take()) {
          place += lostBytes;
          for (const byte of bytes) {
            expect(byte).toBe(place % 251);
            place += 1;
          }
          held += bytes.length;
        }
        expect(held).toBeLessThanOrEqual(bound);
        expect(place).toBe(printed);
        expect(backlog.isEmpty).toBe(true);
      };
      for (const { bytes, lost, isTaken } of pushes) {
        backlog.push(
          Uint8Array.from({ length: bytes }, (_, at) => (printed + at) % 251),
          lost,
        );
        printed += bytes + lost;
        if (isTaken) take();
      }
      take();
    }),
  );
});

test('in a stream of bytes, what is missing is a line of its own before what follows', () => {
  const bytes = Buffer.from('after');
  expect(bytesOf({ lostBytes: 0, bytes }).toString()).toBe('after');
  expect(bytesOf({ lostBytes: 7, bytes }).toString()).toBe(`\r\n${gapInWords(7)}\r\nafter`);
  expect(gapInWords(7)).toContain('7 bytes of the console are missing here');
});

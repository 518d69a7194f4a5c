/** Records of any kind, and the bytes that they are in a journal. */
import fc from 'fast-check';
import { lineOf } from '../../../src/keeper/journal/line.ts';
import type { JournalRecord } from '../../../src/keeper/journal/records.ts';

const texts = fc.string({ unit: 'binary', maxLength: 40 });

const body = fc.oneof(
  fc.record({ kind: fc.constant('begins' as const), step: texts }),
  fc.record({ kind: fc.constant('asked' as const), verb: texts, by: fc.constant(null) }),
  fc.record({ kind: fc.constant('over' as const), outcome: texts, leftovers: fc.nat() }),
  fc.record({
    kind: fc.constant('snapshot' as const),
    machineVersion: fc.nat(),
    snapshot: fc.jsonValue(),
  }),
);

/** As they come back from JSON. */
export const someRecords: fc.Arbitrary<JournalRecord[]> = fc
  .tuple(fc.integer({ min: 1, max: 1e9 }), fc.array(body, { minLength: 1, maxLength: 8 }))
  .map(([first, bodies]) =>
    bodies.map((each, index) =>
      JSON.parse(
        JSON.stringify({
          seq: first + index,
          at: { at: '2026-11-30T10:00:00.000Z', uptimeMs: 5 },
          ...each,
        }),
      ),
    ),
  );

export const bytesOf = (records: readonly JournalRecord[]) => Buffer.concat(records.map(lineOf));

/** What is read of a journal is what was written, from the beginning on, and what is not whole is said to be so. */

import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJournal, readJournal } from '../../../src/keeper/journal/index.ts';
import { lastRecordOf } from '../../../src/keeper/journal/last-record.ts';
import { lineOf } from '../../../src/keeper/journal/line.ts';
import { freshPath } from '../support.ts';
import { bytesOf, someRecords } from './records.ts';

test('all that was written is read', () => {
  fc.assert(
    fc.property(someRecords, (records) => {
      const bytes = bytesOf(records);
      expect(parseJournal(bytes)).toEqual({
        ...{ records, wholeBytes: bytes.length, tornBytes: 0, corrupt: undefined },
      });
    }),
  );
});

test('a journal that is cut anywhere reads as its first records, and how much was cut off is said', () => {
  fc.assert(
    fc.property(someRecords, fc.nat(), (records, at) => {
      const bytes = bytesOf(records);
      const cut = bytes.subarray(0, at % bytes.length);
      const read = parseJournal(cut);
      expect(read.records).toEqual(records.slice(0, read.records.length));
      expect(read.corrupt).toBeUndefined();
      expect(read.wholeBytes + read.tornBytes).toBe(cut.length);
      // Not one record less than there are.
      expect(bytesOf(records.slice(0, read.records.length + 1)).length).toBeGreaterThan(cut.length);
    }),
  );
});

test('any byte that is changed is found, and no record after it is believed', () => {
  fc.assert(
    fc.property(someRecords, fc.nat(), fc.integer({ min: 1, max: 255 }), (records, at, change) => {
      const bytes = bytesOf(records);
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ change;
      const read = parseJournal(bytes);
      expect(read.corrupt !== undefined || read.tornBytes > 0).toBe(true);
      expect(read.records).toEqual(records.slice(0, read.records.length));
      expect(read.wholeBytes).toBeLessThanOrEqual(place);
    }),
    { numRuns: 500 },
  );
});

test('a record that is missing is found, and told with its line', () => {
  fc.assert(
    fc.property(someRecords, fc.nat(), (records, at) => {
      fc.pre(records.length > 2);
      const missing = 1 + (at % (records.length - 2));
      const read = parseJournal(bytesOf(records.filter((_, index) => index !== missing)));
      expect(read.records).toEqual(records.slice(0, missing));
      expect(read.corrupt).toMatchObject({ line: missing + 1 });
    }),
  );
});

describe('of a file', () => {
  test('that is not there nothing is read, and nothing is wrong', (context) => {
    expect(readJournal(freshPath(context))).toMatchObject({ records: [], corrupt: undefined });
  });

  test('that cannot be read it is said', (context) => {
    const path = freshPath(context);
    mkdirSync(path);
    expect(readJournal(path).corrupt?.why).toBe('the journal cannot be read (EISDIR)');
  });

  test('the last record is read by itself as it is with the others, wherever the file is cut', (context) => {
    const path = freshPath(context);
    fc.assert(
      fc.property(someRecords, fc.nat(), (records, at) => {
        const bytes = bytesOf(records);
        writeFileSync(path, bytes.subarray(0, at % (bytes.length + 1)));
        expect(lastRecordOf(path)).toEqual(readJournal(path).records.at(-1));
      }),
    );
  });

  test('the last record is not taken for another where it is longer than one that ends a life', (context) => {
    const path = freshPath(context);
    writeFileSync(path, Buffer.concat([{ n: 1 }, { n: 2, long: 'x\n'.repeat(5000) }].map(lineOf)));
    expect(lastRecordOf(path)).toBeUndefined();
  });
});

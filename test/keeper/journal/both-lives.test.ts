/** Whoever follows a TD over its lives is told each record once, also while lives follow each other. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, type TestContext, test } from 'vitest';
import { recordsSince } from '../../../src/keeper/journal/index.ts';
import { lineOf } from '../../../src/keeper/journal/line.ts';
import type { JournalRecord } from '../../../src/keeper/journal/records.ts';
import { freshPath } from '../support.ts';

const record = (seq: number) =>
  ({ seq, at: '2026-11-30T10:00:00.000Z', uptimeMs: 5, kind: 'begins', step: `${seq}` }) as const;
const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => record(from + index) as unknown as JournalRecord);
const bytesOf = (records: readonly JournalRecord[]) => Buffer.concat(records.map(lineOf));

function journalsIn(context: TestContext) {
  const directory = freshPath(context);
  mkdirSync(directory);
  return { journal: `${directory}/journal`, journalBefore: `${directory}/journal.before` };
}

test('it is what both journals have after the record, wherever one life ends and the next begins', (context) => {
  const journals = journalsIn(context);
  const length = fc.nat({ max: 6 });
  fc.assert(
    fc.property(length, length, length, (before, now, known) => {
      for (const path of Object.values(journals)) rmSync(path, { force: true });
      if (before > 0) writeFileSync(journals.journalBefore, bytesOf(numbered(1, before)));
      if (now > 0) writeFileSync(journals.journal, bytesOf(numbered(before + 1, now)));
      const all = numbered(1, before + now);
      expect(recordsSince(journals, known)).toEqual(all.slice(known));
    }),
  );
});

/** Each life is begun once the last record of the one before the last was read, as no reader sees more than two. */
const writer = `
  const { appendFileSync, renameSync } = require('node:fs');
  const { workerData: { journal, journalBefore, lives, seen } } = require('node:worker_threads');
  const known = new Int32Array(seen);
  lives.forEach(({ lines, begins }, at) => {
    while (Atomics.load(known, 0) < begins) Atomics.wait(known, 1, 0, 1);
    if (at > 0) renameSync(journal, journalBefore);
    for (const line of lines) appendFileSync(journal, line);
  });
`;

test('nothing is missed and nothing told twice while lives follow each other', async (context) => {
  const journals = journalsIn(context);
  const perLife = 3;
  const lives = Array.from({ length: 400 }, (_, life) => ({
    lines: numbered(life * perLife + 1, perLife).map(lineOf),
    begins: (life - 1) * perLife,
  }));
  const seen = new SharedArrayBuffer(8);
  const known = new Int32Array(seen);
  const worker = new Worker(writer, { eval: true, workerData: { ...journals, lives, seen } });
  context.onTestFinished(async () => void (await worker.terminate()));
  const told: number[] = [];
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  const reading = (async () => {
    while (told.length < lives.length * perLife) {
      const news = recordsSince(journals, told.at(-1) ?? 0).map(({ seq }) => seq);
      told.push(...news);
      Atomics.store(known, 0, told.at(-1) ?? 0);
      expect(told).toEqual(Array.from({ length: told.length }, (_, index) => index + 1));
      await new Promise(setImmediate);
    }
  })();
  await Promise.race([reading, failed]);
});

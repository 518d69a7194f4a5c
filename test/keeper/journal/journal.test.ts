/** A keeper can rely on what it has written down, and goes on where it could not. */
import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { Journal, readJournal } from '../../../src/keeper/journal/index.ts';
import { type OwnTdOptions, ownTd } from '../../../src/keeper/td-directory.ts';
import { freshState, identity } from '../support.ts';

async function begun(context: TestContext, beforeWrite?: OwnTdOptions['beforeWrite']) {
  const state = await freshState(context);
  const td = await ownTd(state, 'web', { create: true, beforeWrite });
  if (td === undefined) throw new Error('somebody has it');
  context.onTestFinished(() => td.release());
  const { lastSeq } = td.beginLife(identity());
  const journal = Journal.begin(td, lastSeq);
  context.onTestFinished(() => journal.close());
  return { td, journal, path: td.files.journal };
}

const step = (name: string) => ({ kind: 'begins', step: name }) as const;

test('a record is in the file when append returns, and has the next number', async (context) => {
  const { journal, path } = await begun(context);
  for (const [index, flush] of [true, false, true].entries()) {
    const record = journal.append(step(`step ${index}`), { flush });
    expect(record.seq).toBe(index + 1);
    expect(readJournal(path).records.at(-1)).toEqual(record);
  }
  expect(journal.lastSeq).toBe(3);
});

test('what a dead keeper left of its last record is not before the first of the next life', async (context) => {
  const { td, journal, path } = await begun(context);
  journal.append(step('a'), { flush: true });
  appendFileSync(path, '0123abcd 99 {"seq":2');
  const next = td.beginLife(identity());
  expect(next).toEqual({ number: 2, lastSeq: 1 });
  const again = Journal.begin(td, next.lastSeq);
  again.append(step('b'), { flush: true });
  again.close();
  expect(readJournal(path)).toMatchObject({
    records: [{ seq: 2, step: 'b' }],
    tornBytes: 0,
  });
  expect(readJournal(td.files.journalBefore)).toMatchObject({ records: [{ seq: 1 }] });
});

test('one that cannot be written leaves no gap, and the next can be', async (context) => {
  const failing = new Set<number>();
  let writes = 0;
  const { journal, path } = await begun(context, () => {
    writes += 1;
    if (failing.has(writes)) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  });
  journal.append(step('a'), { flush: true });
  failing.add(writes + 1);
  expect(() => journal.append(step('b'), { flush: true })).toThrow(
    'the journal of the TD cannot be written: no space is left there',
  );
  journal.append(step('c'), { flush: true });
  expect(readJournal(path).records).toMatchObject([
    { seq: 1, step: 'a' },
    { seq: 2, step: 'c' },
  ]);
});

test('a link in its place is not followed', async (context) => {
  const { td } = await begun(context);
  rmSync(td.files.journal);
  writeFileSync(td.files.console, 'precious');
  symlinkSync(td.files.console, td.files.journal);
  expect(() => Journal.begin(td, 0)).toThrow('cannot be written');
  expect(readFileSync(td.files.console, 'utf8')).toBe('precious');
});

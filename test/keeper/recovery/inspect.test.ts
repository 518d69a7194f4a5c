/** A closer look finds what a list has no time for. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { Journal } from '../../../src/keeper/journal/index.ts';
import { inspectTd } from '../../../src/keeper/recovery/inspect.ts';
import { type OwnedTd, ownTd } from '../../../src/keeper/td-directory.ts';
import { deadPid, freshState, identity, status } from '../support.ts';

/** A TD whose keeper has died after three records. */
async function dead(context: TestContext) {
  const state = await freshState(context);
  const td = (await ownTd(state, 'web', { create: true })) as OwnedTd;
  td.beginLife({ ...identity(), pid: deadPid() });
  const journal = Journal.begin(td, 0);
  for (const step of ['a', 'b', 'c']) journal.append({ kind: 'begins', step }, { flush: false });
  journal.close();
  td.writeStatus(status('web', { seq: 3 }));
  td.release();
  const look = async () => (await inspectTd(state, 'web'))?.td.notes ?? [];
  return { state, look, files: td.files };
}

const lost = expect.stringMatching(/^its keeper, process \d+, died as it was running/);

test('nothing more is told of a TD with nothing else the matter', async (context) => {
  const { state, look } = await dead(context);
  expect(await look()).toEqual([lost]);
  expect(await inspectTd(state, 'other')).toBeUndefined();
  await expect(inspectTd(state, '../web')).rejects.toMatchObject({ code: 'TDCTL_E_USAGE' });
});

test('a record that was cut off is told', async (context) => {
  const { look, files } = await dead(context);
  appendFileSync(files.journal, '0123');
  expect(await look()).toEqual([
    lost,
    'the last record of its journal was cut off (4 bytes) and does not count',
  ]);
});

test('a journal that was changed is told, with the place', async (context) => {
  const { look, files } = await dead(context);
  const text = readFileSync(files.journal, 'utf8');
  writeFileSync(files.journal, text.replace('"step":"b"', '"step":"x"'));
  const byte = text.indexOf('\n') + 1;
  expect(await look()).toEqual([
    lost,
    `its journal was changed by something else: record 2 (byte ${byte}) is not as it was written, its checksum is another`,
  ]);
});

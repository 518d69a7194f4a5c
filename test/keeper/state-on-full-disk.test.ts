/**
 * A directory that is full or read-only: nothing that was written is lost, the error says what it is, and what can be
 * done without writing is done. Each runs in a process that has such a directory for itself.
 */
import { mkdirSync } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { readJournal } from '../../src/keeper/journal/index.ts';
import { freshPath, freshState, otherProcess, requireMount, status } from './support.ts';

/** Appends until that fails, and says what with and after how many. */
const appendUntilItFails = `
  const owned = await tdDirectory.ownTd(state, 'web', { create: true });
  owned.beginLife(identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 }));
  owned.writeStatus(${JSON.stringify(status('web'))});
  const journal = journalJournal.Journal.begin(owned, 0);
  const append = (length) => journal.append({ kind: 'begins', step: 'x'.repeat(length) }, { flush: true });
  const errorOf = (work) => { try { work(); return null; } catch ({ code, message }) { return { code, message }; } };
  let error = null;
  while (error === null) error = errorOf(() => append(1500));
  say({ error, lastSeq: journal.lastSeq });`;

test('a journal that may not grow any more ends with its last whole record', async (context) => {
  const { path, tdPath } = await freshState(context);
  const other = otherProcess(context, { path, code: appendUntilItFails, shell: 'ulimit -f 16' });
  const said = JSON.parse((await other.line()) ?? '');
  expect(said.error).toEqual({
    code: 'TDCTL_E_NOT_WRITABLE',
    message: 'the journal of the TD cannot be written: a file may not become so large',
  });
  expect(said.lastSeq).toBeGreaterThan(3);
  const read = readJournal(`${tdPath('web')}/journal`);
  expect(read.records.at(-1)?.seq).toBe(said.lastSeq);
  expect(read).toMatchObject({ tornBytes: 0, corrupt: undefined });
});

/** A file system of 100 KiB in the place of the state directory, which the process alone sees. */
async function onSmallDisk(context: TestContext, code: string): Promise<() => Promise<unknown>> {
  const path = freshPath(context);
  mkdirSync(path);
  const shell = `mount -t tmpfs -o size=100k,mode=700 none ${path}`;
  const other = otherProcess(context, { path, code, shell, mounts: true });
  return async () => JSON.parse((await other.line()) ?? 'null');
}

test('a full disk', async (context) => {
  requireMount(context);
  const said = await onSmallDisk(
    context,
    `
    import { rmSync, writeFileSync, openSync, writeSync } from 'node:fs';
    // The last page is taken too, so that nothing can be written at all.
    const fill = openSync(state.path + '/fill', 'w');
    const room = () => { for (;;) { try { writeSync(fill, 'x'.repeat(4096)); } catch { return; } } };
    writeFileSync(state.path + '/reserve', 'x'.repeat(20000));
    ${appendUntilItFails}
    room();
    say(errorOf(() => owned.writeStatus({ ...${JSON.stringify(status('web'))}, state: 'paused' })));
    say(keptTds.readKeptTd(state, 'web').state);
    say(await tdDirectory.ownTd(state, 'next', { create: true }).then((td) => td.beginLife(identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 })), ({ code, message }) => ({ code, message })).catch(({ code, message }) => ({ code, message })));
    rmSync(state.path + '/reserve');
    say(append(10).seq);
    owned.writeStatus({ ...${JSON.stringify(status('web'))}, state: 'paused' });
    say(keptTds.readKeptTd(state, 'web').state);
    room();
    owned.release();
    say(await removal.removeTd(state, 'web'));`,
  );
  const noSpace = expect.stringContaining('cannot be written: no space is left there');
  const failed = { code: 'TDCTL_E_NOT_WRITABLE', message: noSpace };
  const { error, lastSeq } = (await said()) as { error: unknown; lastSeq: number };
  expect(error).toEqual(failed);
  expect(lastSeq).toBeGreaterThan(3);
  // The status is the one before, whole.
  expect(await said()).toEqual(failed);
  expect(await said()).toBe('running');
  // A new TD is refused before it begins.
  expect(await said()).toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE' });
  // With room again the journal goes on without a gap.
  expect(await said()).toBe(lastSeq + 1);
  expect(await said()).toBe('paused');
  // What is over can be removed from a full disk.
  expect(await said()).toBe(true);
});

test('a disk that is mounted read-only', async (context) => {
  requireMount(context);
  const said = await onSmallDisk(
    context,
    `
    import { spawnSync } from 'node:child_process';
    const owned = await tdDirectory.ownTd(state, 'web', { create: true });
    owned.beginLife({ ...identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 }), startTime: '1' });
    owned.writeStatus(${JSON.stringify(status('web'))});
    owned.release();
    say(spawnSync('mount', ['-o', 'remount,ro', state.path]).status);
    say(keptTds.readKeptTds(state).map((td) => td.state));
    say(await tdDirectory.ownTd(state, 'next', { create: true }).catch(({ code, message }) => ({ code, message })));
    const { removed, failed } = await removal.pruneTds(state);
    say({ removed, failed: failed.map(({ name, error: { code } }) => ({ name, code })) });`,
  );
  expect(await said()).toBe(0);
  expect(await said()).toEqual(['lost']);
  expect(await said()).toEqual({
    code: 'TDCTL_E_NOT_WRITABLE',
    message: 'the directory of the TD cannot be written: the file system is mounted read-only',
  });
  expect(await said()).toEqual({
    removed: [],
    failed: [{ name: 'web', code: 'TDCTL_E_NOT_WRITABLE' }],
  });
});

/** A TD has one owner at a time, whoever dies when, and only the owner changes what is written of it. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Journal } from '../../src/keeper/journal/index.ts';
import { readKeptTds } from '../../src/keeper/kept-tds.ts';
import type { StateDirectory } from '../../src/keeper/state-directory.ts';
import { readStatus } from '../../src/keeper/status-file.ts';
import { finishCutOff, type OwnedTd, ownTd } from '../../src/keeper/td-directory.ts';
import { tdFiles } from '../../src/keeper/td-files.ts';
import {
  asNobody,
  freshState,
  identity,
  isRoot,
  otherProcess,
  request,
  stateAt,
  status,
} from './support.ts';

async function owned(state: StateDirectory, name = 'web'): Promise<OwnedTd> {
  const td = await ownTd(state, name, { create: true });
  if (td === undefined) throw new Error('somebody else has it');
  return td;
}

const takes = `
  const td = await tdDirectory.ownTd(state, 'web', { create: true });
  say(td !== undefined);
  await stay();`;

const withAddon = {};
const withoutAddon = { TDCTL_ADDON: '/nowhere' };

describe('the owner', () => {
  test.for([
    ['all with the addon', [withAddon, withAddon, withAddon]],
    ['all without it', [withoutAddon, withoutAddon, withoutAddon]],
    ['some with it', [withAddon, withoutAddon, withAddon]],
  ] as const)('is one of the processes that ask at once, %s', async ([, envs], context) => {
    const { path } = await freshState(context);
    const others = envs.map((env) => otherProcess(context, { path, code: takes, env }));
    const said = await Promise.all(others.map((each) => each.line()));
    expect(said.sort()).toEqual(['false', 'false', 'true']);
  });

  test('is another as soon as it is killed, and finds the directory as it was', async (context) => {
    const state = await freshState(context);
    const first = otherProcess(context, { path: state.path, code: takes });
    expect(await first.line()).toBe('true');
    expect(await ownTd(state, 'web', { create: true })).toBeUndefined();
    await first.kill();
    const td = await owned(state);
    expect(td.isNew).toBe(false);
    td.release();
    td.release();
    (await owned(state)).release();
  });

  test('of a TD that is not there is nobody, unless it shall be made', async (context) => {
    const state = await freshState(context);
    await expect(ownTd(state, 'web', { create: false })).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_FOUND',
    });
    expect(readdirSync(state.tdsPath)).toEqual([]);
  });

  test('of one name is never two, however often others make and remove it meanwhile', async (context) => {
    const { path } = await freshState(context);
    const code = `
      import { closeSync, openSync, rmSync } from 'node:fs';
      for (let had = 0; had < 30; ) {
        const td = await tdDirectory.ownTd(state, 'web', { create: true });
        if (td === undefined) continue;
        // Only one at a time is between these two lines, so the name is free for it.
        const mark = state.path + '/mark';
        closeSync(openSync(mark, 'wx'));
        rmSync(mark);
        had += 1;
        if (had % 2 === 0) td.remove(); else td.release();
      }
      say('done');`;
    const others = [0, 1, 2].map(() => otherProcess(context, { path, code }));
    expect(await Promise.all(others.map((each) => each.line()))).toEqual(
      others.map(() => '"done"'),
    );
  });
});

test.for(['../x', '..', '.', '', '-rf', 'a/b', 'Web', 'x'.repeat(300), 'x'.repeat(64), 'a\0b'])(
  'a name that is no DNS label makes nothing: %j',
  async (name, context) => {
    const state = await freshState(context);
    await expect(ownTd(state, name, { create: true })).rejects.toMatchObject({
      code: 'TDCTL_E_USAGE',
    });
    expect(readdirSync(state.path)).toEqual(['td']);
    expect(readdirSync(state.tdsPath)).toEqual([]);
  },
);

test('the longest name is one', async (context) => {
  const td = await owned(await freshState(context), 'x'.repeat(63));
  td.remove();
});

describe('what is in the place of a directory and is none of ours', () => {
  const refusal = { code: 'TDCTL_E_STATE_DIRECTORY' };
  const elsewhere = (context: Parameters<typeof freshState>[0]) => {
    const there = mkdtempSync(join(tmpdir(), 'tdk-there-'));
    context.onTestFinished(() => rmSync(there, { recursive: true }));
    return there;
  };

  test('a symbolic link is refused, and nothing is written where it leads', async (context) => {
    const state = await freshState(context);
    const there = elsewhere(context);
    symlinkSync(there, state.tdPath('web'));
    await expect(owned(state)).rejects.toMatchObject(refusal);
    expect(readdirSync(there)).toEqual([]);
  });

  test('so is a symbolic link in the place of its lock', async (context) => {
    const state = await freshState(context);
    const there = elsewhere(context);
    mkdirSync(state.tdPath('web'), { mode: 0o700 });
    symlinkSync(join(there, 'file'), join(state.tdPath('web'), 'lock'));
    await expect(owned(state)).rejects.toMatchObject(refusal);
    expect(readdirSync(there)).toEqual([]);
  });

  test('a file is refused', async (context) => {
    const state = await freshState(context);
    writeFileSync(state.tdPath('web'), 'precious');
    await expect(owned(state)).rejects.toMatchObject(refusal);
    expect(readFileSync(state.tdPath('web'), 'utf8')).toBe('precious');
  });

  test('a directory that others may write to is refused', async (context) => {
    const state = await freshState(context);
    mkdirSync(state.tdPath('web'));
    chmodSync(state.tdPath('web'), 0o777);
    await expect(owned(state)).rejects.toMatchObject(refusal);
  });
});

describe('a life', () => {
  test('is found by others from its first moment', async (context) => {
    const td = await owned(await freshState(context));
    const keeper = identity();
    td.beginLife(keeper);
    expect(readStatus(td.files.status)).toEqual({
      kind: 'read',
      file: { version: 1, keeper, life: 1, td: null },
    });
    td.writeStatus(status('web', { state: 'paused' }));
    expect(readStatus(td.files.status)).toMatchObject({
      file: { life: 1, keeper: { pid: process.pid }, td: { state: 'paused' } },
    });
    td.release();
  });

  test('keeps what was asked for, byte for byte', async (context) => {
    const td = await owned(await freshState(context));
    const asked = request('web');
    td.writeRequest(asked);
    expect(readFileSync(td.files.spec, 'utf8')).toBe(asked.spec);
    expect(JSON.parse(readFileSync(td.files.request, 'utf8'))).toEqual(asked);
    td.release();
  });

  test('sets the files of the one before aside, and its socket is gone', async (context) => {
    const td = await owned(await freshState(context));
    expect(td.beginLife(identity())).toEqual({ number: 1, lastSeq: 0 });
    const journal = Journal.begin(td, 0);
    for (let seq = 1; seq <= 3; seq++)
      journal.append({ kind: 'begins', step: 'x' }, { flush: true });
    journal.close();
    const written = readFileSync(td.files.journal, 'utf8');
    for (const file of ['console', 'socket'] as const) writeFileSync(td.files[file], file);
    expect(td.beginLife(identity())).toEqual({ number: 2, lastSeq: 3 });
    expect(readFileSync(td.files.journalBefore, 'utf8')).toBe(written);
    expect(readFileSync(td.files.consoleBefore, 'utf8')).toBe('console');
    const { journal: path, console, socket } = td.files;
    expect([path, console, socket].map((file) => existsSync(file))).toEqual([false, false, false]);
    td.release();
  });

  test('that was cut off before its first record leaves the journal before it where it is', async (context) => {
    const td = await owned(await freshState(context));
    td.beginLife(identity());
    const journal = Journal.begin(td, 0);
    journal.append({ kind: 'keeper', identity: identity(), life: 1 }, { flush: true });
    journal.close();
    td.beginLife(identity());
    Journal.begin(td, 1).close();
    const before = readFileSync(td.files.journalBefore);
    // Neither the status nor the empty journal tells what came before any more.
    rmSync(td.files.status);
    expect(td.beginLife(identity())).toEqual({ number: 2, lastSeq: 1 });
    expect(readFileSync(td.files.journalBefore)).toEqual(before);
    td.release();
  });

  test('is private', async (context) => {
    const state = await freshState(context);
    const td = await owned(state);
    td.beginLife(identity());
    td.writeRequest(request('web'));
    if (isRoot) {
      chmodSync(join(state.path, '..'), 0o755);
      await asNobody(async () => {
        expect(() => readFileSync(td.files.status)).toThrow('EACCES');
        // What nobody may look into has nothing for nobody.
        await expect(stateAt(state.path)).rejects.toMatchObject({
          code: 'TDCTL_E_STATE_DIRECTORY',
        });
      });
    }
    td.release();
  });
});

test('a keeper may be killed before any of its writes: the next one begins all the same', async (context) => {
  const state = await freshState(context);
  const killedBefore = (write: number) => `
    let writes = 0;
    const beforeWrite = () => { writes += 1; if (writes === ${write}) process.kill(process.pid, 'SIGKILL'); };
    const td = await tdDirectory.ownTd(state, 'web', { create: true, beforeWrite });
    const { number, lastSeq } = td.beginLife(identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 }));
    const journal = journalJournal.Journal.begin(td, lastSeq);
    const { seq } = journal.append({ kind: 'begins', step: 'x' }, { flush: true });
    td.writeRequest(${JSON.stringify(request('web'))});
    td.writeStatus({ ...${JSON.stringify(status('web', { state: 'runnable' }))}, seq });
    say({ number, seq });
    await stay();`;
  let deaths = 0;
  let said: string | undefined;
  while (said === undefined) {
    const code = killedBefore(deaths + 1);
    const other = otherProcess(context, { path: state.path, code });
    said = await other.line();
    if (said === undefined) deaths += 1;
    else expect(readKeptTds(state)).toMatchObject([{ state: 'runnable' }]);
    await other.kill();
    expect(readKeptTds(state)).toMatchObject([{ name: 'web', state: 'lost', holdsKeySlot: false }]);
  }
  expect(deaths).toBeGreaterThan(6);
  // Each that came as far as its record has the number after the one before.
  const { number, seq } = JSON.parse(said);
  expect(number).toBeGreaterThan(3);
  expect(seq).toBeGreaterThan(3);
});

describe('a removal', () => {
  test('takes all of it, and what comes after begins anew', async (context) => {
    const state = await freshState(context);
    const td = await owned(state);
    td.beginLife(identity());
    mkdirSync(join(td.files.directory, 'deep/er'), { recursive: true });
    td.remove();
    expect(readdirSync(state.tdsPath)).toEqual([]);
    const next = await owned(state);
    expect(next.isNew).toBe(true);
    expect(next.beginLife(identity())).toEqual({ number: 1, lastSeq: 0 });
    next.release();
  });

  test('follows no symbolic link', async (context) => {
    const state = await freshState(context);
    const td = await owned(state);
    symlinkSync(tdFiles(state, 'other').directory, join(td.files.directory, 'link'));
    const other = await owned(state, 'other');
    td.remove();
    expect(existsSync(other.files.lock)).toBe(true);
    other.release();
  });

  test('that was cut off is finished by the next who makes that name, or by whoever looks for all', async (context) => {
    const state = await freshState(context);
    const left = (name: string) => {
      const path = join(state.tdsPath, `.removing-${name}-01234567`);
      mkdirSync(join(path, 'within'), { recursive: true });
      return path;
    };
    const [ours, others] = [left('web'), left('web-1')];
    (await owned(state)).release();
    expect([existsSync(ours), existsSync(others)]).toEqual([false, true]);
    expect(await finishCutOff(state)).toBe(1);
    expect(readdirSync(state.tdsPath)).toEqual(['web']);
  });
});

/** `tdctl list` tells the truth of each TD, asks nobody, and no TD spoils another. */

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, type TestContext, test } from 'vitest';
import type { KeeperIdentity } from '../../src/keeper/identity.ts';
import { lineOf } from '../../src/keeper/journal/line.ts';
import { readKeptTd, readKeptTds } from '../../src/keeper/kept-tds.ts';
import { conclude } from '../../src/keeper/recovery/conclude.ts';
import { glance, lookNow } from '../../src/keeper/recovery/glance.ts';
import { keptStates } from '../../src/keeper/state.ts';
import { openStateDirectory, type StateDirectory } from '../../src/keeper/state-directory.ts';
import type { StatusRecord } from '../../src/keeper/status.ts';
import { builtModule } from '../support/built.ts';
import { until } from '../support/processes.ts';
import { deadPid, freshPath, freshState, identity, otherProcess, status } from './support.ts';

/** Writes what a keeper would have, without one. */
function write(
  state: StateDirectory,
  name: string,
  td: Partial<StatusRecord> | null = {},
  keeper: Partial<KeeperIdentity> = {},
) {
  const directory = state.tdPath(name);
  mkdirSync(directory, { mode: 0o700 });
  const file = {
    ...{ version: 1, keeper: { ...identity(), ...keeper }, life: 1 },
    td: td === null ? null : status(name, td),
  };
  writeFileSync(join(directory, 'status.json'), JSON.stringify(file));
  return directory;
}

const keeps = (name: string) => `
  const td = await tdDirectory.ownTd(state, ${JSON.stringify(name)}, { create: true });
  td.beginLife(identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 }));
  td.writeStatus(${JSON.stringify(status(name))});
  say('kept');
  await stay();`;

async function keeper(context: TestContext, state: StateDirectory, name = 'web') {
  const other = otherProcess(context, { path: state.path, code: keeps(name) });
  expect(await other.line()).toBe('"kept"');
  return other;
}

const stateOf = (state: StateDirectory, name = 'web') => readKeptTd(state, name)?.state;

describe('a keeper that is a process', () => {
  test('is told as it has written, and who it is', async (context) => {
    const state = await freshState(context);
    const { pid } = await keeper(context, state);
    expect(readKeptTd(state, 'web')).toMatchObject({
      ...{ name: 'web', state: 'running', holdsKeySlot: true, life: 1, notes: [] },
      ...{ keeper: { pid, lives: true, tdctl: '0.1.0' }, host: { name: 'sim:spr-1.5' } },
    });
  });

  test('and is killed, is lost, and holds nothing', async (context) => {
    const state = await freshState(context);
    const other = await keeper(context, state);
    await other.kill();
    expect(readKeptTd(state, 'web')).toMatchObject({
      ...{ state: 'lost', holdsKeySlot: false, chartState: 'running', keeper: { lives: false } },
    });
  });

  test('and is stopped by a signal, is unknown, with its last sign of life, until it goes on', async (context) => {
    const state = await freshState(context);
    const { child, pid } = await keeper(context, state);
    child.kill('SIGSTOP');
    await until(() => stateOf(state) === 'unknown');
    const td = readKeptTd(state, 'web');
    expect(td).toMatchObject({ holdsKeySlot: true, keeper: { pid, lives: true } });
    expect(td?.notes[0]).toContain(`process ${pid}, is stopped by a signal since ${td?.since}`);
    expect(td?.sinceMs).toBeGreaterThanOrEqual(0);
    child.kill('SIGCONT');
    await until(() => stateOf(state) === 'running');
  });

  test('and has the lock before it has written anything, has just begun', async (context) => {
    const state = await freshState(context);
    const code = `await tdDirectory.ownTd(state, 'web', { create: true }); say(1); await stay();`;
    const other = otherProcess(context, { path: state.path, code });
    await other.line();
    expect(stateOf(state)).toBe('creating');
    await other.kill();
    expect(readKeptTd(state, 'web')).toMatchObject({
      state: 'lost',
      notes: ['its keeper ended before it had begun, and nothing was taken'],
    });
  });
});

describe('a TD that passes from keeper to keeper while one looks', () => {
  const here = `say(identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 })); await stay();`;
  const begun = async (context: TestContext, state: StateDirectory): Promise<KeeperIdentity> => {
    const other = otherProcess(context, { path: state.path, code: here });
    return JSON.parse((await other.line()) ?? '');
  };

  test('is kept by one that began after the processes were listed', async (context) => {
    const state = await freshState(context);
    const look = lookNow({ forMany: true });
    write(state, 'web', {}, await begun(context, state));
    expect(conclude(glance(state, 'web', look)).td).toMatchObject({
      ...{ state: 'running', keeper: { lives: true } },
    });
  });

  /** Each time the next one says who it is, the one before has left, the next one has it, and nobody comes next. */
  const passing = `
    const { renameSync, rmSync, writeFileSync } = require('node:fs');
    const { workerData: { directory, keepers, running, left } } = require('node:worker_threads');
    const write = (name, content) => {
      writeFileSync(directory + '/passing', JSON.stringify(content));
      renameSync(directory + '/passing', directory + '/' + name);
    };
    for (let life = 1; ; life += 1) {
      const [keeper, next] = [keepers[life % 2], keepers[(life + 1) % 2]];
      write('next.json', { version: 1, keeper: next });
      write('status.json', { version: 1, keeper, life, td: left });
      write('status.json', { version: 1, keeper: next, life: life + 1, td: running });
      rmSync(directory + '/next.json');
    }
  `;

  test('is never over', async (context) => {
    const state = await freshState(context);
    const keepers = [identity(), await begun(context, state)];
    const directory = write(state, 'web');
    const [running, left] = [status('web'), status('web', { state: 'movedAway' })];
    const workerData = { directory, keepers, running, left };
    const worker = new Worker(passing, { eval: true, workerData });
    context.onTestFinished(async () => void (await worker.terminate()));
    const failed = new Promise<never>((_, reject) => worker.once('error', reject));
    const looking = (async () => {
      const seen = new Set<string | undefined>();
      for (let look = 0; look < 3000 || seen.size < 2; look += 1) {
        seen.add(look % 2 === 0 ? stateOf(state) : readKeptTds(state)[0]?.state);
        if (look % 100 === 0) await new Promise(setImmediate);
      }
      return [...seen].sort();
    })();
    expect(await Promise.race([looking, failed])).toEqual(['moving', 'running']);
  });
});

describe('what is found of a keeper that is not there', () => {
  test.for<readonly [string, Partial<KeeperIdentity>, string]>([
    ['a number that nobody has', { pid: deadPid() }, 'lost'],
    ['a number that another process has by now', { startTime: '1' }, 'lost'],
    ['another boot', { bootId: 'of before' }, 'lost'],
    ['another PID namespace', { pidNamespace: 'pid:[1]' }, 'unknown'],
  ])('%s', async ([, who, expected], context) => {
    const state = await freshState(context);
    write(state, 'web', {}, who);
    expect(stateOf(state)).toBe(expected);
  });

  test('its end in the journal counts where it came to no other word', async (context) => {
    const state = await freshState(context);
    const directory = write(state, 'web', { state: 'releasing' }, { pid: deadPid() });
    const at = { at: new Date().toISOString(), uptimeMs: 1 };
    const over = { seq: 2, ...at, kind: 'over', outcome: 'destroyed', leftoverCount: 0 };
    const bytes = Buffer.concat([{ seq: 1, at, kind: 'begins', step: 'x' }, over].map(lineOf));
    writeFileSync(join(directory, 'journal'), bytes);
    expect(stateOf(state)).toBe('destroyed');
    writeFileSync(join(directory, 'journal'), bytes.subarray(0, -1));
    expect(stateOf(state)).toBe('lost');
  });

  test('a socket that it left is no sign of life', async (context) => {
    const state = await freshState(context);
    const code = `
      ${keeps('web').replace('await stay();', '')}
      import { createServer } from 'node:net';
      createServer().listen(td.files.socket, () => say('listens'));`;
    const other = otherProcess(context, { path: state.path, code });
    await other.line();
    await other.line();
    await other.kill();
    expect(existsSync(join(state.tdPath('web'), 'control.sock'))).toBe(true);
    expect(stateOf(state)).toBe('lost');
  });

  test('how long it is so follows the time since boot, whatever the clock of the wall says', async (context) => {
    const state = await freshState(context);
    const directory = write(state, 'web', {
      since: { at: '2099-01-01T00:00:00.000Z', uptimeMs: 1 },
    });
    utimesSync(join(directory, 'status.json'), 4e9, 4e9);
    expect(readKeptTd(state, 'web')?.sinceMs).toBeGreaterThan(0);
  });
});

describe('what spoils one TD is told of that one', () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'a status that is empty': (path) => writeFileSync(join(path, 'status.json'), ''),
    'a status that is cut off': (path) => {
      const file = join(path, 'status.json');
      writeFileSync(file, readFileSync(file).subarray(0, 100));
    },
    'a status of a tdctl to come': (path) =>
      writeFileSync(join(path, 'status.json'), '{"version":2}'),
    'a status that is null': (path) => writeFileSync(join(path, 'status.json'), 'null'),
  };

  test.for(Object.entries(damages))('%s', async ([, damage], context) => {
    const state = await freshState(context);
    damage(write(state, 'bad'));
    write(state, 'good');
    const [bad, good] = readKeptTds(state);
    expect(bad).toMatchObject({ name: 'bad', state: 'damaged' });
    expect(bad?.notes[0]).toMatch(/^its files cannot be read: status\.json: /);
    expect(good).toMatchObject({ name: 'good', state: 'running' });
  });

  test('a link, a file, or a directory in the place of a file', async (context) => {
    const state = await freshState(context);
    symlinkSync(write(state, 'web'), state.tdPath('link'));
    writeFileSync(state.tdPath('file'), '');
    mkdirSync(join(state.tdPath('deep'), 'status.json'), { recursive: true });
    expect(readKeptTds(state).map(({ name, state: found }) => [name, found])).toEqual([
      ['deep', 'damaged'],
      ['file', 'damaged'],
      ['link', 'damaged'],
      ['web', 'running'],
    ]);
    expect(readKeptTd(state, 'link')?.notes[0]).toContain('a symbolic link in the place');
  });

  test('whatever bytes the status has', async (context) => {
    const state = await freshState(context);
    const path = join(write(state, 'bad'), 'status.json');
    write(state, 'good');
    const whole = readFileSync(path);
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.uint8Array({ maxLength: 8 }),
        fc.boolean(),
        (at, bytes, isCut) => {
          const rest = isCut ? Buffer.alloc(0) : whole.subarray(at + bytes.length);
          writeFileSync(path, Buffer.concat([whole.subarray(0, at), bytes, rest]));
          const [bad, good] = readKeptTds(state);
          expect([bad?.name, good?.name, good?.state]).toEqual(['bad', 'good', 'running']);
          expect(JSON.parse(JSON.stringify(bad))).toMatchObject({ name: 'bad' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('whatever value any field of the status has', async (context) => {
    const state = await freshState(context);
    const path = join(write(state, 'bad', { leftovers: [] }), 'status.json');
    const file = JSON.parse(readFileSync(path, 'utf8'));
    const places = [file, file.keeper, file.td, file.td.since, file.td.host];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(), fc.jsonValue(), (place, at, value) => {
        const fields = Object.keys(place);
        const field = fields[at % fields.length] ?? '';
        const before = place[field];
        place[field] = value;
        writeFileSync(path, JSON.stringify(file));
        place[field] = before;
        const [bad] = readKeptTds(state);
        expect(Object.keys(keptStates)).toContain(bad?.state);
        expect(JSON.parse(JSON.stringify(bad))).toMatchObject({ name: 'bad' });
      }),
      { numRuns: 300 },
    );
  });
});

describe('of a directory', () => {
  test('that is not there nothing is found', async (context) => {
    const env = { TDCTL_STATE_DIR: freshPath(context) };
    expect(readKeptTds(await openStateDirectory(env, { create: false }))).toEqual([]);
  });

  test('only what may be the name of a TD is one, in the order of names', async (context) => {
    const state = await freshState(context);
    for (const name of ['b', 'a-1', 'a']) write(state, name);
    for (const name of ['.removing-a-01234567', 'NOT', '-rf', 'x'.repeat(64)]) {
      mkdirSync(state.tdPath(name));
    }
    expect(readKeptTds(state).map(({ name }) => name)).toEqual(['a', 'a-1', 'b']);
    for (const name of ['../td/a', '-rf', 'NOT', 'x'.repeat(300), '']) {
      expect(readKeptTd(state, name)).toBeUndefined();
    }
    expect(readKeptTd(state, 'c')).toBeUndefined();
  });

  test('10,000 dead TDs are found, each of them', async (context) => {
    const state = await freshState(context);
    const first = join(write(state, 'td', {}, { pid: deadPid() }), 'status.json');
    for (let number = 1; number < 10_000; number++) {
      const directory = state.tdPath(`td-${number}`);
      mkdirSync(directory);
      linkSync(first, `${directory}/status.json`);
    }
    const tds = readKeptTds(state);
    expect(tds).toHaveLength(10_000);
    expect(new Set(tds.map(({ name }) => name)).size).toBe(10_000);
    expect(new Set(tds.map((td) => td.state))).toEqual(new Set(['lost']));
  });
});

test('a TD that is removed at this moment is there or not, and never anything between', async (context) => {
  const state = await freshState(context);
  for (let number = 0; number < 400; number++) write(state, `td-${number}`);
  const code = `
    for (let number = 0; number < 400; number++) {
      (await tdDirectory.ownTd(state, 'td-' + number, { create: false })).remove();
    }
    say('done');`;
  const other = otherProcess(context, { path: state.path, code });
  const seen = new Set<string>();
  let left = 400;
  while (left > 0) {
    const tds = readKeptTds(state);
    for (const td of tds) seen.add(td.state);
    seen.add(readKeptTd(state, `td-${400 - left}`)?.state ?? 'none');
    left = tds.length;
  }
  expect(await other.line()).toBe('"done"');
  expect([...seen].sort()).toEqual(['none', 'running']);
});

test('the reader loads no library, and of Node what every program loads', () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import) ?"([^"]+)"/g,
    )) {
      if (from.includes('/_virtual/')) continue;
      if (from.startsWith('.')) visit(resolve(dirname(file), from));
      else packages.add(from);
    }
  };
  visit(builtModule('src/keeper/kept-tds.ts'));
  expect(seen.size).toBeGreaterThan(5);
  expect([...packages].sort()).toEqual(['node:fs', 'node:os', 'node:path']);
});

test('nothing is written by looking', async (context) => {
  const state = await freshState(context);
  const directory = write(state, 'web', {}, { pid: deadPid() });
  readKeptTds(state);
  readKeptTd(state, 'web');
  expect(readdirSync(directory)).toEqual(['status.json']);
});

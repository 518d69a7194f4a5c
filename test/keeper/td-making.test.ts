/** A TD is there with its keeper, or it is not there: whoever looks while it is made finds nothing in between. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { errnoOf } from '../../src/errors/errno.ts';
import { readKeptTd, readKeptTds } from '../../src/keeper/kept-tds.ts';
import { readProcess } from '../../src/keeper/process-stat.ts';
import { pruneTds, removeTd } from '../../src/keeper/removal.ts';
import { ownTd } from '../../src/keeper/td-directory.ts';
import { tryTdLock } from '../../src/keeper/td-lock.ts';
import { until } from '../support/processes.ts';
import { freshState, identity, otherProcess, request } from './support.ts';

const keeper = `const keeper = identity.ownIdentity({ tdctl: '0.1.0', chartVersion: 3 });`;

test.for([
  ['with the addon', {}],
  ['without it', { TDCTL_ADDON: '/nowhere' }],
] as const)('it is found as being created, and never as lost, %s', async ([, env], context) => {
  const state = await freshState(context);
  const code = `
    ${keeper}
    for (let had = 0; had < 40; ) {
      const td = await tdDirectory.ownTd(state, 'web', { create: true, keeper });
      if (td === undefined) continue;
      if (td.isNew) had += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
      td.remove();
    }
    say('done');`;
  const makers = [0, 1].map(() => otherProcess(context, { path: state.path, code, env }));
  let areMaking = true;
  const made = Promise.all(makers.map((each) => each.line())).finally(() => {
    areMaking = false;
  });
  const found = new Set<string>();
  while (areMaking) {
    for (const { name, state: is } of readKeptTds(state)) found.add(`${name} ${is}`);
    await setImmediate();
  }
  expect(await made).toEqual(['"done"', '"done"']);
  expect([...found]).toEqual(['web creating']);
  expect(readdirSync(state.tdsPath)).toEqual([]);
});

/** What a maker does as it is about to write the first status: the lock is taken, and nothing is in place. */
const making = (signal: string) => `
  ${keeper}
  let isFirst = true;
  const beforeWrite = () => {
    if (isFirst) process.kill(process.pid, '${signal}');
    isFirst = false;
  };
  say('makes');
  const td = await tdDirectory.ownTd(state, 'web', { create: true, keeper, beforeWrite });
  say(td !== undefined);
  await stay();`;

test.for([
  ['the next maker', async (state) => (await ownTd(state, 'web', { create: true }))?.remove()],
  ['who deletes it', (state) => removeTd(state, 'web')],
  ['who prunes', (state) => pruneTds(state)],
] satisfies [string, (state: Awaited<ReturnType<typeof freshState>>) => Promise<unknown>][])(
  'what a killed maker leaves is no TD, and goes with %s',
  async ([, act], context) => {
    const state = await freshState(context);
    const maker = otherProcess(context, { path: state.path, code: making('SIGKILL') });
    expect(await maker.line()).toBe('"makes"');
    expect(await maker.line()).toBeUndefined();
    await maker.kill();
    expect(readdirSync(state.tdsPath)).toEqual([expect.stringMatching(/^\.making-web-/)]);
    expect(readKeptTds(state)).toEqual([]);
    await act(state);
    expect(readdirSync(state.tdsPath)).toEqual([]);
  },
);

test('what is being made stays, and its maker finds that another was there first', async (context) => {
  const state = await freshState(context);
  const maker = otherProcess(context, { path: state.path, code: making('SIGSTOP') });
  expect(await maker.line()).toBe('"makes"');
  await until(() => readProcess(maker.pid)?.state === 'T');
  const [made = ''] = readdirSync(state.tdsPath);
  expect(readdirSync(`${state.tdsPath}/${made}`)).toEqual(['lock']);
  expect((await pruneTds(state)).finished).toBe(0);
  const td = await ownTd(state, 'web', { create: true, keeper: identity() });
  td?.writeRequest(request('web'));
  expect(readdirSync(state.tdsPath)).toHaveLength(2);
  maker.child.kill('SIGCONT');
  expect(await maker.line()).toBe('false');
  expect(readKeptTd(state, 'web')).toMatchObject({ state: 'creating', keeper: { lives: true } });
  expect(readdirSync(state.tdsPath)).toEqual(['web']);
  td?.remove();
});

test('what a killed maker left is whole for whoever has its lock, while another clears it', async (context) => {
  const state = await freshState(context);
  const left = join(state.tdsPath, '.making-web-01234567');
  mkdirSync(left, { recursive: true, mode: 0o700 });
  // Many, so that there is time, and in any order some of them are removed after the lock.
  const lock = join(left, 'lock');
  const names = Array.from({ length: 2000 }, (_, at) => `${at}`);
  for (const name of names) writeFileSync(join(left, `a${name}`), '');
  writeFileSync(lock, '');
  for (const name of names) writeFileSync(join(left, `z${name}`), '');
  const files = readdirSync(left).length;
  const code = `
    while ((await removal.pruneTds(state)).finished === 0);
    say('cleared');`;
  const clearing = otherProcess(context, { path: state.path, code });
  let isClearing = true;
  const cleared = clearing.line().finally(() => {
    isClearing = false;
  });
  const had = new Set<number>();
  while (isClearing) {
    const found = await tryTdLock(lock).catch(errnoOf);
    if (typeof found === 'object') {
      had.add(readdirSync(left).length);
      found.release();
    }
    await setImmediate();
  }
  expect(await cleared).toBe('"cleared"');
  expect([...had].filter((count) => count !== files)).toEqual([]);
  expect(readdirSync(state.tdsPath)).toEqual([]);
});

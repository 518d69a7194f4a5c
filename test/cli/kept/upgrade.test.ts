/** TDs that go from one version of tdctl to another, and back, while they run. */
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { interrupt } from '../../../src/cli/interrupts.ts';
import { tdctlAt } from '../../../src/cli/kept/move/tdctl-at.ts';
import { version } from '../../../src/cli/version.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { tdFiles } from '../../../src/keeper/td-files.ts';
import { cli } from '../../support/cli.ts';
import { data, keeping } from '../../support/kept.ts';
import { unpackedTdctl } from '../../support/packed.ts';
import { until } from '../../support/processes.ts';

const { spec, scratch } = keeping();
const moves = ['--host', 'sim', '--kernel', 'rfc-migration-v2'];
const next = '99.0.0';
const unpacked = join(scratch, 'next');

const create = async (name: string, options = moves, ...more: string[]) =>
  expect(await cli(['create', spec(name), ...options, '--start', ...more])).toMatchObject({
    exitCode: 0,
  });
const td = async (name: string) => data(['show', name]);
const versionOf = async (name: string) => (await td(name)).keeper.tdctl;
const toNext = (...args: string[]) => cli(['upgrade', ...args, '--with', unpacked]);

beforeAll(() => unpackedTdctl(unpacked, next));

describe('from the tdctl that is here to one that was packed', () => {
  test('and back, and the TD runs on with its measurement and its key slot', async () => {
    await create('there');
    const before = await td('there');
    const there = await toNext('there');
    expect(there).toMatchObject({ exitCode: 0, stderr: '' });
    expect(there.stdout).toMatch(
      new RegExp(
        `^there: moved: process \\d+ → \\d+, tdctl ${version()} → ${next}; no vCPU ran for `,
      ),
    );
    expect(there.stdout).toMatch(
      /\n1 of 1 TD moved to tdctl 99\.0\.0; no vCPU ran for at most .* \(there\)\n$/,
    );
    const { mrtd } = before;
    expect(await td('there')).toMatchObject({
      ...{ state: 'running', life: 2, mrtd, holdsKeySlot: true },
      keeper: { tdctl: next, lives: true },
    });
    expect(await cli(['pause', 'there'])).toMatchObject({ exitCode: 0 });
    expect(await cli(['upgrade', 'there'])).toMatchObject({ exitCode: 0 });
    expect(await td('there')).toMatchObject({
      ...{ state: 'paused', life: 3, mrtd },
      keeper: { tdctl: version() },
    });
    expect(await cli(['stop', 'there', '--wait'])).toMatchObject({ exitCode: 0 });
  });

  test('who is there already, or over, is left alone; with --force all move', async () => {
    await create('same');
    await create('past');
    await cli(['stop', 'past', '--wait']);
    const { keeper } = await td('same');
    const { stdout, exitCode } = await cli(['upgrade', 'same', 'past']);
    expect({ stdout, exitCode }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`same: nothing to do: its keeper is of tdctl ${version()} already\n`);
    expect(stdout).toContain('past: nothing to do: it is destroyed, and has no keeper\n');
    expect(stdout).toContain(`0 of 2 TDs moved to tdctl ${version()}\n`);
    expect((await td('same')).keeper.pid).toBe(keeper.pid);
    expect(await cli(['upgrade', 'same', '--force'])).toMatchObject({ exitCode: 0 });
    expect((await td('same')).keeper.pid).not.toBe(keeper.pid);
    await cli(['stop', 'same', '--wait']);
  });

  test('several at once, and each is told', async () => {
    const names = ['one', 'three', 'two'];
    for (const name of names) await create(name);
    const all = ['upgrade', '--all', '--parallel', '3', '--with', unpacked];
    const { exitCode, ...report } = await data(all);
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ kind: 'tdctl.TdUpgrade', toTdctl: next, movedCount: 3 });
    const moved = report.items.filter(({ result }: { result: string }) => result === 'moved');
    expect(moved.map(({ name }: { name: string }) => name)).toEqual(names);
    const blackouts = moved.map(({ blackoutMs }: { blackoutMs: number }) => blackoutMs);
    expect(report.worstBlackoutMs).toBe(Math.max(...blackouts));
    for (const name of names) expect(await versionOf(name)).toBe(next);
    await cli(['stop', ...names, '--wait']);
  });
});

describe('what cannot move', () => {
  test('ends it: what has moved has moved, it keeps running, and the rest is told as not tried', async () => {
    await create('alpha');
    await create('beta', ['--host', 'sim']);
    await create('gamma');
    const { stdout, stderr, exitCode } = await toNext('alpha', 'beta', 'gamma');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 8 });
    expect(stderr).toMatch(/beta.*does not move TDs/);
    expect(stderr).toMatch(
      new RegExp(`TD beta keeps running under tdctl ${version()}, process \\d+`),
    );
    expect(stdout).toMatch(/^alpha: moved: .*\n1 of 3 TDs moved .*\nnot tried: gamma\n$/);
    expect(await versionOf('gamma')).toBe(version());
    const report = await data(['upgrade', 'alpha', 'beta', 'gamma', '--with', unpacked]);
    expect(report).toMatchObject({
      exitCode: 8,
      items: [
        { name: 'alpha', result: 'nothing-to-do', error: null },
        { name: 'beta', result: 'failed', error: { code: 'TDCTL_E_HOST_UNSUPPORTED' } },
        { name: 'gamma', result: 'not-tried', error: null },
      ],
    });
    await cli(['stop', 'alpha', 'beta', 'gamma', '--wait']);
  });

  test('a name that there is not, before anything is begun', async () => {
    await create('known');
    const { pid } = (await td('known')).keeper;
    expect(await toNext('known', 'unknown')).toMatchObject({ exitCode: 3, stdout: '' });
    expect((await td('known')).keeper.pid).toBe(pid);
    await cli(['stop', 'known', '--wait']);
  });

  test('after an interrupt, whoever was not begun with; who was is waited for', async () => {
    for (const name of ['first', 'second']) await create(name);
    const upgrading = toNext('first', 'second');
    const { nextStatus } = tdFiles(
      await openStateDirectory(process.env, { create: true }),
      'first',
    );
    await until(() => existsSync(nextStatus));
    interrupt('SIGINT');
    const { exitCode, stdout, stderr } = await upgrading;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 130 });
    expect(stdout).toMatch(/^first: moved: /);
    expect(stdout).toMatch(/\nnot tried: second\n$/);
    expect(await versionOf('first')).toBe(next);
    expect(await versionOf('second')).toBe(version());
    await cli(['stop', 'first', 'second', '--wait']);
  });
});

describe('the tdctl that is named', () => {
  const named = async (path: string) => cli(['upgrade', 'named', '--force', '--with', path]);

  test('by its package, by its keeper, by the prefix of an installation, and by its command', async () => {
    const prefix = join(scratch, 'prefix');
    mkdirSync(join(prefix, 'lib/node_modules'), { recursive: true });
    mkdirSync(join(prefix, 'bin'));
    const root = join(unpacked, 'package');
    symlinkSync(root, join(prefix, 'lib/node_modules/tdctl'));
    symlinkSync(join(root, 'dist/tdctl.js'), join(prefix, 'bin/tdctl'));
    const paths = [root, join(root, 'dist/keeper.js'), prefix, join(prefix, 'bin/tdctl')];
    for (const path of paths) {
      expect(await tdctlAt(path)).toMatchObject({
        program: realpathSync(join(root, 'dist/keeper.js')),
        tdctl: next,
      });
    }
  });

  test('is none, or one from before there were moves', async () => {
    expect(await named(join(scratch, 'none'))).toMatchObject({ exitCode: 2 });
    expect(await named(scratch)).toMatchObject({ exitCode: 2 });
    const old = join(scratch, 'old');
    mkdirSync(join(old, 'dist'), { recursive: true });
    writeFileSync(join(old, 'dist/keeper.js'), `JSON.parse(require('fs').readFileSync(0))`);
    const { exitCode, stderr } = await named(old);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 8 });
    expect(stderr).toContain('cannot take a TD over');
  });
});

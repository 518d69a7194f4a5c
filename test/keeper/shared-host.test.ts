/** Keepers, each a process of its own, on one shared host with two key slots. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { until } from '../support/processes.ts';
import { asked, isOver, launch, specPath, statusOf } from './keepers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-shared-'));
const machine = join(scratch, 'two-slots.yaml');
const host = 'on:small';

beforeAll(async () => {
  writeFileSync(
    machine,
    `apiVersion: tdctl.io/v1alpha1
kind: SimulatedHost
metadata: { name: two-slots }
spec: { from: spr-1.5, platform: { keyIds: { mktme: 1, tdxPrivate: 3 } } }
`,
  );
  expect(await cli(['host', 'start', 'small', '--host', machine])).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  await cli(['host', 'stop', 'small', '--now']);
  rmSync(scratch, { recursive: true });
});

interface Shown {
  readonly keySlots: { readonly used: number };
  readonly waiting: readonly { readonly td: string }[];
}

const shown = async (): Promise<Shown> =>
  JSON.parse((await cli(['host', 'show', 'small', '-o', 'json'])).stdout);

const slotsInUse = async () => (await shown()).keySlots.used;

async function killed(name: string): Promise<void> {
  process.kill((await statusOf(name)).keeper.pid, 'SIGKILL');
  await isOver(name);
}

describe('keepers on a shared host', () => {
  test('compete for its slots, and what one held is free once it is killed', async () => {
    const [first] = await Promise.all(
      ['one', 'two'].map((name) => launch(asked(name, { host, start: true }))),
    );
    await expect(launch(asked('three', { host }))).rejects.toMatchObject({
      code: 'TDCTL_E_NO_KEY_SLOT',
      exitCode: 7,
    });
    expect(await slotsInUse()).toBe(2);
    process.kill(first as number, 'SIGKILL');
    while ((await slotsInUse()) === 2);
    await launch(asked('three', { host, start: true, again: true }));
    expect(await slotsInUse()).toBe(2);
  });

  test('wait in line for its slots, in order, whoever is killed; and who does not wait comes after them', async () => {
    const waiting = new Map<string, Promise<unknown>>();
    for (const name of ['four', 'five', 'six', 'seven']) {
      const turn = launch(asked(name, { host, start: true, queue: true, again: true }));
      waiting.set(
        name,
        turn.catch((error) => error),
      );
      await until(async () => (await shown()).waiting.some(({ td }) => td === name));
    }
    expect((await shown()).waiting.map(({ td }) => td)).toEqual(['four', 'five', 'six', 'seven']);
    expect((await cli(['list'])).stdout).toMatch(/five .*queued, 2 of 4/);
    // Nobody who waits on one host is in the way of those on another.
    expect((await cli(['host', '--host', 'on:small'])).stdout).toMatch(/kept by tdctl +2/);
    await killed('five');
    expect(await waiting.get('five')).toMatchObject({
      message: expect.stringContaining('while it waited for a key slot'),
    });
    await killed('two');
    expect(await waiting.get('four')).toBe((await statusOf('four')).keeper.pid);
    const late = await cli(['create', specPath, '--name', 'late', '--host', host]);
    expect(late.exitCode).toBe(7);
    for (const words of [
      /has one: four, running/,
      /has one: three, running/,
      /waits, place 1: six /,
      /waits, place 2: seven /,
      /`tdctl host show small` has all/,
    ]) {
      expect(late.stderr).toMatch(words);
    }
    expect(late.stderr).not.toContain('has one: two');
    await killed('three');
    expect(await waiting.get('six')).toBe((await statusOf('six')).keeper.pid);
    expect((await shown()).waiting.map(({ td }) => td)).toEqual(['seven']);
    await killed('four');
    expect(await waiting.get('seven')).toBe((await statusOf('seven')).keeper.pid);
    expect((await shown()).waiting).toEqual([]);
  });

  test('write down why their TDs are gone when the host is, those too that wait for a slot', async () => {
    const turns = ['eight', 'nine'].map((name) =>
      launch(asked(name, { host, queue: true })).catch((error) => error),
    );
    await until(async () => (await shown()).waiting.length === 2);
    await cli(['host', 'stop', 'small', '--now']);
    expect(await Promise.all(turns)).toMatchObject([
      { code: 'TDCTL_E_HOST_GONE' },
      { code: 'TDCTL_E_HOST_GONE' },
    ]);
    for (const name of ['six', 'seven', 'eight', 'nine']) {
      await isOver(name);
      const { td } = await statusOf(name);
      expect(td).toMatchObject({
        state: 'failed',
        holdsKeySlot: false,
        error: {
          code: 'TDCTL_E_HOST_GONE',
          message: expect.stringContaining('it was stopped by process'),
        },
      });
    }
  });
});

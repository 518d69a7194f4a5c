/** Keepers, each a process of its own, on one shared host with two key slots. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { asked, isOver, launch, statusOf } from './keepers.ts';

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

async function slotsInUse(): Promise<number> {
  const { stdout } = await cli(['host', 'show', 'small', '-o', 'json']);
  return JSON.parse(stdout).keySlots.used;
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

  test('write down why their TDs are gone when the host is', async () => {
    await cli(['host', 'stop', 'small', '--now']);
    for (const name of ['two', 'three']) {
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

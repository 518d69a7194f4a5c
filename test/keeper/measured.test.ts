import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noteTeardown, readTeardowns } from '../../src/keeper/measured.ts';
import { openStateDirectory, type StateDirectory } from '../../src/keeper/state-directory.ts';

let path: string;
let state: StateDirectory;
const teardown = { host: 'kvm', kernel: '7.3.0', vcpus: 4, memoryBytes: 18e9, ms: 72_000 };

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'tdctl-measured-'));
  state = await openStateDirectory({ TDCTL_STATE_DIR: join(path, 's') }, { create: true });
});
afterEach(() => rmSync(path, { recursive: true }));

test('what was measured is found again, the latest last, and the file does not grow without end', async () => {
  for (let ms = 1; ms <= 70; ms++) await noteTeardown(state, { ...teardown, ms });
  const read = readTeardowns(state);
  expect(read).toHaveLength(64);
  expect(read.at(-1)).toEqual({ ...teardown, ms: 70 });
});

test('a file that is damaged, or has what is no measurement, is as good as none', async () => {
  expect(readTeardowns(state)).toEqual([]);
  for (const content of ['', '{', 'null', '{"version":2,"teardowns":[]}', '{"version":1}']) {
    writeFileSync(join(state.path, 'measured.json'), content);
    expect(readTeardowns(state)).toEqual([]);
  }
  const odd = [null, {}, { ...teardown, ms: -1 }, { ...teardown, memoryBytes: '1' }, teardown];
  writeFileSync(join(state.path, 'measured.json'), JSON.stringify({ version: 1, teardowns: odd }));
  expect(readTeardowns(state)).toEqual([teardown]);
});

test('those who write at once leave a file that can be read', async () => {
  const many = Array.from({ length: 12 }, (_, index) =>
    noteTeardown(state, { ...teardown, ms: index + 1 }),
  );
  const written = (await Promise.all(many)).filter((done) => done).length;
  expect(written).toBeGreaterThan(0);
  expect(readTeardowns(state).length).toBeGreaterThan(0);
  expect(() => JSON.parse(readFileSync(join(state.path, 'measured.json'), 'utf8'))).not.toThrow();
});

test('where nothing can be written, nothing is lost but the measurement', async () => {
  rmSync(state.path, { recursive: true });
  expect(await noteTeardown(state, teardown)).toBe(false);
});

/** What V8 compiled of a keeper's program is kept for the next keeper. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { programBehind } from '../../src/cli/bundled/behind.mjs';
import { keptCodePath, readKeptCode } from '../../src/cli/bundled/kept-code.ts';
import { projectRoot } from '../support/built.ts';
import { until } from '../support/processes.ts';
import { asked, launch } from './keepers.ts';

const cache = mkdtempSync(join(tmpdir(), 'tdctl-cache-'));
afterAll(() => rmSync(cache, { recursive: true }));

test('a keeper keeps the functions that it ran, and the next one begins with them and adds its own', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: '' };
  const directory = join(projectRoot, 'dist');
  const { build } = programBehind(readFileSync(join(directory, 'keeper.js'), 'latin1'));
  const path = keptCodePath(join(cache, 'tdctl'), 'keeper');
  await launch(asked('first'), { env });
  await until(() => existsSync(path));
  expect(readKeptCode(path, { build, directory })).toMatchObject({ reached: ['runnable'] });

  const before = readFileSync(path);
  await launch(asked('second', { start: true }), { env });
  await until(() => !readFileSync(path).equals(before));
  // One that could not begin with what was kept would have kept its own alone.
  expect(readKeptCode(path, { build, directory })).toMatchObject({
    reached: ['runnable', 'running'],
  });
});

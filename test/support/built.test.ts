/** What keeps tests of whole processes from judging an old build. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sourcesOf, staleSources } from '../../scripts/sources.mjs';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tdctl-built-'));
  for (const directory of ['src', 'machines', 'native', 'scripts'])
    mkdirSync(join(root, directory));
  for (const file of ['package.json', 'package-lock.json']) write(file, '{}');
});
afterAll(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

test('a source is stale until a build was made of its very text, and one that went is too', () => {
  write('src/a.ts', 'export const a = 1;');
  write('build/full.sources.json', JSON.stringify(sourcesOf(root)));
  expect(staleSources(root, 'full')).toEqual([]);
  write('src/b.ts', 'export const b = 1;');
  expect(staleSources(root, 'full')).toEqual(['src/b.ts']);
  write('build/full.sources.json', JSON.stringify(sourcesOf(root)));
  write('src/a.ts', 'export const a = 2;');
  rmSync(join(root, 'src/b.ts'));
  expect(staleSources(root, 'full')).toEqual(['src/a.ts', 'src/b.ts']);
});

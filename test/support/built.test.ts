/** What keeps tests of whole processes from judging an old build. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { staleSources } from './built.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tdctl-built-'));
  for (const directory of ['src', 'machines', 'native']) mkdirSync(join(root, directory));
});
afterAll(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

test('a source is stale until the build holds its very text', () => {
  write('src/a.ts', 'export const a = 1;');
  expect(staleSources(root)).toEqual(['src/a.ts']);
  write('dist/src/a.js.map', JSON.stringify({ sourcesContent: ['export const a = 1;'] }));
  expect(staleSources(root)).toEqual([]);
  write('src/a.ts', 'export const a = 2;');
  expect(staleSources(root)).toEqual(['src/a.ts']);
});

#!/usr/bin/env node
/** The program `tdctl` of the package. It is a bundle by itself: what it imports, it has a copy of (scripts/bundles.mjs). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { keptCodeBytes, keptCodePath, readKeptCode } from './kept-code.ts';
import { Loader } from './loader.ts';

/** The types are those of Node 20. Node keeps the packages that are installed beside tdctl. */
const { enableCompileCache } = process.getBuiltinModule('node:module') as {
  readonly enableCompileCache?: (directory: string) => unknown;
};

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const word = /^[a-z]+$/.exec(args[0] ?? '')?.[0] ?? '';
  const cache = cacheDirectory(process.env);
  const path = cache && keptCodePath(cache, word || 'tdctl');
  if (cache !== undefined) enableCompileCache?.(cache);
  const { build } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));

  const loader = new Loader({
    directory: join(import.meta.dirname, 'chunks'),
    kept: path === undefined ? undefined : readKeptCode(path, build),
    read: (filename) => ({ text: readFileSync(filename, 'latin1') }),
  });
  const { start, keepCode } = loader.load('start.js') as typeof import('../start.ts');
  process.exitCode = await start(args);

  if (path === undefined) return;
  const compiled = loader.compiled(process.exitCode === 0 ? 'success' : undefined);
  if (compiled === undefined) return;
  await keepCode(word, { path, content: () => keptCodeBytes(build, compiled()) });
}

void main();

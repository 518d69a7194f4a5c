#!/usr/bin/env node
/** The program `tdctl` of the package. It is a bundle by itself: what it imports, it has a copy of (scripts/bundles.mjs). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { keptCodeBytes, keptCodePath, readKeptCode } from './kept-code.ts';
import { Loader } from './loader.ts';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const word = /^[a-z]+$/.exec(args[0] ?? '')?.[0] ?? '';
  const cache = cacheDirectory(process.env);
  const path = cache && keptCodePath(cache, word || 'tdctl');
  const { build } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  const origin = { build, directory: join(import.meta.dirname, 'chunks') };
  const loader = new Loader({
    directory: origin.directory,
    kept: path === undefined ? undefined : readKeptCode(path, origin),
    read: (filename) => ({ text: readFileSync(filename, 'latin1') }),
    loadPackage: packagesBeside(cache),
  });
  const { start, keepCode } = loader.load('start.js') as typeof import('../start.ts');
  process.exitCode = await start(args);

  if (path === undefined) return;
  const compiled = loader.compiled(process.exitCode === 0 ? 'success' : undefined);
  if (compiled === undefined) return;
  await keepCode(word, { path, content: () => keptCodeBytes(origin, compiled()) });
}

/** Loads what is installed beside tdctl. What is compiled of that, Node keeps itself; the types are those of Node 20. */
function packagesBeside(cache: string | undefined): (id: string) => unknown {
  return (id) => {
    const { createRequire, enableCompileCache } = process.getBuiltinModule(
      'node:module',
    ) as typeof import('node:module') & {
      readonly enableCompileCache?: (directory: string) => unknown;
    };
    if (cache !== undefined) enableCompileCache?.(cache);
    return createRequire(join(import.meta.dirname, 'any.js'))(id);
  };
}

void main();

#!/usr/bin/env node
/** The program `tdctl` of the package. It is a bundle by itself: what it imports, it has a copy of (scripts/bundles.mjs). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { keptCodeBytes, readKeptCode } from './kept-code.ts';
import { Loader } from './loader.ts';

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const word = /^[a-z]+$/.exec(args[0] ?? '')?.[0] ?? '';
  const directory = cacheDirectory(process.env);
  const path = join(directory ?? '', `${word || 'tdctl'}-${process.version}-${process.arch}`);
  const { build } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  const kept = directory === undefined ? undefined : readKeptCode(path, build);

  const loader = new Loader(join(import.meta.dirname, 'chunks'), kept, packagesBeside(directory));
  const { start, keepCode } = loader.load('start.js') as typeof import('../start.ts');
  process.exitCode = await start(args);

  const isOfSuccess = process.exitCode === 0;
  const isBetter = loader.lacked || (isOfSuccess && kept?.isOfSuccess !== true);
  if (directory === undefined || !isBetter) return;
  // What keeps the code is not needed where it is kept.
  const code = loader.compiled();
  await keepCode({ word, path, content: () => keptCodeBytes(build, { code, isOfSuccess }) });
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

#!/usr/bin/env node
/** The program `tdctl` of the package. It is a bundle by itself: what it imports, it has a copy of (scripts/bundles.mjs). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { keptCodeBytes, readKeptCode } from './kept-code.ts';
import { Loader } from './loader.ts';

/** The types are those of Node 20. Node keeps the packages that are installed beside tdctl. */
const { enableCompileCache } = process.getBuiltinModule('node:module') as {
  readonly enableCompileCache?: (directory: string) => unknown;
};

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const word = /^[a-z]+$/.exec(args[0] ?? '')?.[0] ?? '';
  const directory = cacheDirectory(process.env);
  const path = join(directory ?? '', `${word || 'tdctl'}-${process.version}-${process.arch}`);
  if (directory !== undefined) enableCompileCache?.(directory);
  const { build } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  const kept = directory === undefined ? undefined : readKeptCode(path, build);

  const loader = new Loader(join(import.meta.dirname, 'chunks'), kept);
  const { start, keepCode } = loader.load('start.js') as typeof import('../start.ts');
  process.exitCode = await start(args);

  const isOfSuccess = process.exitCode === 0;
  const isBetter = loader.lacked || (isOfSuccess && kept?.isOfSuccess !== true);
  if (directory === undefined || !isBetter) return;
  const content = () => keptCodeBytes(build, { code: loader.compiled(), isOfSuccess });
  await keepCode({ word, path, content });
}

void main();

#!/usr/bin/env node
/**
 * Assembles examples/guest/guest.bin, the program in the example firmware, out of the sources beside it. The
 * same sources always give the same bytes; a test rebuilds it and compares.
 *
 *   node scripts/build-example-guest.mjs [FILE]
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from './assemble.mjs';

const directory = fileURLToPath(new URL('../examples/guest/', import.meta.url));

export function buildExampleGuest() {
  const sources = readdirSync(directory)
    .filter((name) => extname(name) === '.s')
    .sort()
    .map((name) => join(directory, name));
  return assemble(sources, ['-T', join(directory, 'guest.ld')]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(process.argv[2] ?? join(directory, 'guest.bin'), buildExampleGuest());
}

#!/usr/bin/env node
/**
 * Assembles examples/guest/guest.bin, the program in the example firmware, out of the sources beside it,
 * with GNU as, ld and objcopy (Debian's package `binutils`). The same sources always give the same bytes;
 * a test rebuilds it and compares.
 *
 *   node scripts/build-example-guest.mjs [FILE]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../examples/guest/', import.meta.url));

export function buildExampleGuest() {
  const scratch = mkdtempSync(join(tmpdir(), 'tdctl-example-guest-'));
  const inScratch = (/** @type {string} */ name) => join(scratch, name);
  try {
    const objects = readdirSync(sources)
      .filter((name) => extname(name) === '.s')
      .map((name) => {
        const object = inScratch(`${basename(name, '.s')}.o`);
        run('as', ['--64', '--fatal-warnings', '-I', sources, '-o', object, join(sources, name)]);
        return object;
      })
      .sort();
    const linked = inScratch('guest.elf');
    const binary = inScratch('guest.bin');
    run('ld', ['--fatal-warnings', '-T', join(sources, 'guest.ld'), '-o', linked, ...objects]);
    run('objcopy', ['-O', 'binary', linked, binary]);
    return readFileSync(binary);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/**
 * @param {string} tool
 * @param {string[]} words
 */
function run(tool, words) {
  execFileSync(tool, words, { stdio: ['ignore', 'inherit', 'inherit'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(process.argv[2] ?? join(sources, 'guest.bin'), buildExampleGuest());
}

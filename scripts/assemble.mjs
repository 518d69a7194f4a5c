/** Sources for GNU as to the bytes of a program, by the three tools of Debian's package `binutils`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * @param {readonly string[]} sources
 * @param {readonly string[]} linking words for ld: where the program lies, and what it needs to know
 */
export function assemble(sources, linking) {
  const scratch = mkdtempSync(join(tmpdir(), 'tdctl-assemble-'));
  const inScratch = (/** @type {string} */ name) => join(scratch, name);
  try {
    const objects = sources.map((source) => {
      const object = inScratch(`${basename(source, '.s')}.o`);
      run('as', ['--64', '--fatal-warnings', '-I', dirname(source), '-o', object, source]);
      return object;
    });
    const linked = inScratch('program.elf');
    const binary = inScratch('program.bin');
    run('ld', ['--fatal-warnings', ...linking, '-o', linked, ...objects]);
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

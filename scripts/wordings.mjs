/**
 * Lists the messages of C source files that `tdctl explain` does not know:
 * `npm run wordings -- arch/x86/virt/vmx/tdx/tdx.c`. Exit status 6 where there are any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messagesOf, prefixOf } from './c-messages.mjs';

const built = new URL('../build/modules/src/diagnosis/explain/index.js', import.meta.url);
const { explainLog } = await import(built.href);

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('error: name C source files: `npm run wordings -- FILE.c`\n');
  process.exit(2);
}
for (const file of files) {
  const messages = messagesOf(readFileSync(file, 'utf8'), { prefix: prefixOfIncluder(file) });
  let unknown = 0;
  for (const { line, text } of messages) {
    const { explanations } = await explainLog([Buffer.from(text)]);
    if (explanations.length > 0) continue;
    unknown += 1;
    process.stdout.write(`${file}:${line}: ${text}\n`);
  }
  process.stderr.write(
    `${file}: ${messages.length - unknown} of ${messages.length} messages known\n`,
  );
  if (unknown > 0) process.exitCode = 6;
}

/** A part of a source is included by another, whose pr_fmt() holds for it. @param {string} file */
function prefixOfIncluder(file) {
  const sources = readdirSync(dirname(file)).filter((name) => name.endsWith('.c'));
  for (const name of sources) {
    const source = readFileSync(join(dirname(file), name), 'utf8');
    if (source.includes(`#include "${basename(file)}"`)) return prefixOf(source);
  }
  return undefined;
}

#!/usr/bin/env node
// Writes docs/kernel-checks/ from the book of checks. Run `npm run build` first.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const built = new URL('../build/modules/src/diagnosis/kernels/check-pages.js', import.meta.url);
const folder = new URL('../docs/kernel-checks/', import.meta.url);
const { checkPages } = await import(built.href).catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error(`${fileURLToPath(built)} is missing: run \`npm run build\` first`);
  process.exit(1);
});

const pages = checkPages();
await mkdir(folder, { recursive: true });
for (const file of await readdir(folder)) {
  if (!pages.has(file)) await rm(new URL(file, folder));
}
for (const [file, text] of pages) {
  const target = new URL(file, folder);
  await writeFile(target, text);
  console.error(`wrote ${fileURLToPath(target)}`);
}

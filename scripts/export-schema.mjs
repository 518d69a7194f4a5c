#!/usr/bin/env node
// Writes schema/trust-domain.json from the zod schema in src/spec. Run `npm run build` first.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/src/spec/json-schema.js', import.meta.url);
const target = new URL('../schema/trust-domain.json', import.meta.url);

const { trustDomainJsonSchemaText } = await import(built.href).catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error(`${fileURLToPath(built)} is missing: run \`npm run build\` first`);
  process.exit(1);
});
await writeFile(target, trustDomainJsonSchemaText());
console.error(`wrote ${fileURLToPath(target)}`);

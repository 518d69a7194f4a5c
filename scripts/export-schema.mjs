#!/usr/bin/env node
// Writes the files of schema/ from the zod schemas. Run `npm run build` first.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const schemas = [
  { file: 'trust-domain.json', from: 'spec/json-schema.js', text: 'trustDomainJsonSchemaText' },
  {
    file: 'simulated-host.json',
    from: 'host/simulated/host-file/json-schema.js',
    text: 'simulatedHostJsonSchemaText',
  },
  {
    file: 'rehearsal.json',
    from: 'rehearsal/scenario-file/json-schema.js',
    text: 'rehearsalJsonSchemaText',
  },
  {
    file: 'fleet.json',
    from: 'plan/fleet/json-schema.js',
    text: 'fleetJsonSchemaText',
  },
  {
    file: 'run-script.json',
    from: 'exec/run-script/json-schema.js',
    text: 'runScriptJsonSchemaText',
  },
  {
    file: 'keeper-api.openapi.json',
    from: 'cli/output/contract/keeper-api.js',
    text: 'openApiText',
  },
];

/** @param {string} from below src/ */
async function load(from) {
  const built = new URL(`../build/modules/src/${from}`, import.meta.url);
  return await import(built.href).catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error(`${fileURLToPath(built)} is missing: run \`npm run build\` first`);
    process.exit(1);
  });
}

/**
 * @param {string} file
 * @param {string} text
 */
async function put(file, text) {
  const target = fileURLToPath(new URL(`../schema/${file}`, import.meta.url));
  await writeFile(target, text);
  console.error(`wrote ${target}`);
}

for (const { file, from, text } of schemas) await put(file, (await load(from))[text]());

const { outputSchemaTexts } = await load('cli/output/contract/json-schema.js');
for (const [file, text] of outputSchemaTexts()) await put(`output/${file}`, text);

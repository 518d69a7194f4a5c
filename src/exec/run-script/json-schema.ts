/** The schema for editors. schema/run-script.json is this, written by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../../documents/json-schema.ts';
import { runScriptSchema } from './load.ts';

export function runScriptJsonSchemaText(): string {
  // Every step stands also inside of `repeat`.
  return jsonSchemaText(runScriptSchema, 'run-script', { reused: 'ref' });
}

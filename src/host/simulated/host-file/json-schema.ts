/** The schema for editors. schema/simulated-host.json is this, written by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../../../documents/json-schema.ts';
import { simulatedHostSchema } from './schema.ts';

export function simulatedHostJsonSchemaText(): string {
  return jsonSchemaText(simulatedHostSchema, 'simulated-host');
}

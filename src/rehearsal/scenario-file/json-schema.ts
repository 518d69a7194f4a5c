/** The schema for editors. schema/rehearsal.json is this, written by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../../documents/json-schema.ts';
import { rehearsalSchema } from './schema.ts';

export function rehearsalJsonSchemaText(): string {
  return jsonSchemaText(rehearsalSchema, 'rehearsal');
}

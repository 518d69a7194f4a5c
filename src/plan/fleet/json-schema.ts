/** The schema for editors. schema/fleet.json is this, written by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../../documents/json-schema.ts';
import { fleetSchema } from './fleet-file.ts';

export function fleetJsonSchemaText(): string {
  return jsonSchemaText(fleetSchema, 'fleet');
}

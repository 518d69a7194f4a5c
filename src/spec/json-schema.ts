/** The schema for editors. schema/trust-domain.json is this, written by scripts/export-schema.mjs. */
import { jsonSchema, jsonSchemaText } from '../documents/json-schema.ts';
import { trustDomainSchema } from './schema.ts';

const name = 'trust-domain';

export function trustDomainJsonSchema(): Record<string, unknown> {
  return jsonSchema(trustDomainSchema, name);
}

export function trustDomainJsonSchemaText(): string {
  return jsonSchemaText(trustDomainSchema, name);
}

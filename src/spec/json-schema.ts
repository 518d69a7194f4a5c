/** The schema for editors. schema/trust-domain.json is this, written by scripts/export-schema.mjs. */
import { jsonSchemaText } from '../documents/json-schema.ts';
import { trustDomainSchema } from './schema.ts';

export function trustDomainJsonSchemaText(): string {
  return jsonSchemaText(trustDomainSchema, 'trust-domain');
}

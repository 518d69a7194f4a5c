/** The schema for editors. schema/trust-domain.json is this, written by scripts/export-schema.mjs. */
import { z } from 'zod';
import { trustDomainSchema } from './schema.ts';

/** An identifier, not an address: nothing has to answer there. Editors get the file's path. */
const schemaId = 'https://tdctl.io/schema/v1alpha1/trust-domain.json';

export function trustDomainJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(trustDomainSchema, {
    io: 'input',
    target: 'draft-2020-12',
    // zod leaves examples out above a transform, as they could be of its output. Ours never are.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  return { $schema, $id: schemaId, ...schema };
}

/** The file's text: two spaces, one line end at the end. */
export function trustDomainJsonSchemaText(): string {
  return `${JSON.stringify(trustDomainJsonSchema(), null, 2)}\n`;
}

/** Writes a zod schema as JSON Schema, for editors. */
import { z } from 'zod';

interface JsonSchemaOptions {
  /** With `ref`, what stands in several places is written once and referred to. */
  readonly reused?: 'inline' | 'ref';
}

/** The text of schema/NAME.json has an indent of two spaces, and one line end at the end. */
export function jsonSchemaText(
  schema: z.ZodType,
  name: string,
  options?: JsonSchemaOptions,
): string {
  return `${JSON.stringify(jsonSchema(schema, name, options), null, 2)}\n`;
}

function jsonSchema(
  schema: z.ZodType,
  name: string,
  options?: JsonSchemaOptions,
): Record<string, unknown> {
  const { $schema, ...rest } = plainJsonSchema(schema, options);
  // This is an identifier, so nothing has to answer there. Editors get the file's path.
  return { $schema, $id: `https://tdctl.io/schema/v1alpha1/${name}.json`, ...rest };
}

/** As zod makes it: what has an id stands in `$defs`, and is referred to. */
export function plainJsonSchema(schema: z.ZodType, { reused = 'inline' }: JsonSchemaOptions = {}) {
  return z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-2020-12',
    reused,
    // zod leaves examples out above a transform, since they could be of its output. Ours never are.
    override: ({ zodSchema, jsonSchema }) => {
      const examples = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
}

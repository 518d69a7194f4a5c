/** Looks into a schema by field path: which keys are known where, and what a field looks like. */
import { z } from 'zod';
import type { FieldPath } from './positions.ts';

export interface FieldDoc {
  readonly description: string;
  readonly example: unknown;
}

export class SchemaFields {
  readonly #schema: z.ZodType;
  /** Every field of the format as a path, parents before children. */
  readonly all: readonly FieldPath[];

  constructor(schema: z.ZodType) {
    this.#schema = schema;
    this.all = this.#below([]);
  }

  /** Gives the keys of the map at a path; none where there is no map of known keys. */
  knownKeys(path: FieldPath): readonly string[] {
    const object = objectForm(this.schemaAt(path));
    return object === undefined ? [] : Object.keys(object.shape);
  }

  doc(path: FieldPath): FieldDoc | undefined {
    for (let schema = this.schemaAt(path); schema !== undefined; schema = innerOf(schema)) {
      const meta = schema.meta();
      if (meta?.description === undefined) continue;
      const examples = meta.examples as readonly unknown[] | undefined;
      return { description: meta.description, example: examples?.[0] };
    }
    return undefined;
  }

  schemaAt(path: FieldPath): z.ZodType | undefined {
    let schema: z.ZodType | undefined = this.#schema;
    for (const step of path) {
      schema =
        typeof step === 'number'
          ? elementOf(schema)
          : (objectForm(schema)?.shape[step] as z.ZodType | undefined);
    }
    return schema;
  }

  #below(path: FieldPath): FieldPath[] {
    return this.knownKeys(path).flatMap((key) => [[...path, key], ...this.#below([...path, key])]);
  }
}

/** Gives what is inside `.optional()`, `.default()` and `.prefault()`. */
function innerOf(schema: z.ZodType): z.ZodType | undefined {
  const isWrapper =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return isWrapper ? (schema.unwrap() as z.ZodType) : undefined;
}

/** Gives the schema of the items of a list. */
function elementOf(schema: z.ZodType | undefined): z.ZodType | undefined {
  for (let form = schema; form !== undefined; form = innerOf(form)) {
    if (form instanceof z.ZodArray) return form.element as z.ZodType;
  }
  return undefined;
}

function objectForm(schema: z.ZodType | undefined): z.ZodObject<z.ZodRawShape> | undefined {
  for (let form = schema; form !== undefined; form = innerOf(form)) {
    if (form instanceof z.ZodObject) return form;
    if (form instanceof z.ZodUnion) {
      return form.options.find((option) => option instanceof z.ZodObject);
    }
  }
  return undefined;
}

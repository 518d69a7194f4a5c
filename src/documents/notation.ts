/** Fields with a notation of their own, such as `2GiB`, in a zod schema. */
import { z } from 'zod';
import type { Parsed } from './parsed.ts';

/** What JSON Schema says of a field that our own parser reads. */
export interface FieldMeta {
  readonly description: string;
  readonly examples: readonly unknown[];
  readonly [keyword: string]: unknown;
}

/** zod sees to the presence of the field, and the parser to everything else. */
export function notation<T>(parse: (value: unknown) => Parsed<T>, meta: FieldMeta) {
  return z
    .unknown()
    .transform((value, context): T => {
      const result = parse(value);
      if ('value' in result) return result.value;
      for (const problem of result.problems) {
        const path = problem.item === undefined ? [] : [problem.item];
        context.issues.push({ code: 'custom', message: problem.text, input: value, path });
      }
      return z.NEVER;
    })
    .meta({ ...meta });
}

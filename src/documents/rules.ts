/** A rule between fields is judged as soon as the fields that it reads are valid by themselves. */
import { type FieldPath, valueAt } from './positions.ts';
import type { SchemaFields } from './schema-fields.ts';

export interface Rule {
  /** The field at which the finding is placed. */
  readonly field: FieldPath;
  readonly reads: readonly FieldPath[];
  /** The function takes the parsed values of `reads`, and answers the problem if there is one. */
  readonly check: (...values: readonly never[]) => string | undefined;
}

interface BrokenRule {
  readonly field: FieldPath;
  readonly problem: string;
}

/** `document` is the file's plain values, which may well be wrong in other places. */
export function brokenRules(
  document: unknown,
  { rules, fields }: { readonly rules: readonly Rule[]; readonly fields: SchemaFields },
): BrokenRule[] {
  return rules.flatMap(({ field, reads, check }) => {
    const read = reads.map((path) => fields.schemaAt(path)?.safeParse(valueAt(document, path)));
    if (!read.every((result) => result?.success === true)) return [];
    const problem = check(...(read.map((result) => result?.data) as never[]));
    return problem === undefined ? [] : [{ field, problem }];
  });
}

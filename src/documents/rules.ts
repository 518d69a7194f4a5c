/** Rules between fields. Each is judged as soon as the fields it reads are valid by themselves. */
import type { FieldPath } from './positions.ts';
import type { SchemaFields } from './schema-fields.ts';

export interface Rule {
  /** Where the finding is placed. */
  readonly field: FieldPath;
  readonly reads: readonly FieldPath[];
  /** Takes the parsed values of `reads`; answers the problem, if there is one. */
  readonly check: (...values: readonly never[]) => string | undefined;
}

export interface BrokenRule {
  readonly field: FieldPath;
  readonly problem: string;
}

/** `document` is the file's plain values, which may well be wrong in other places. */
export function brokenRules(
  document: unknown,
  { rules, fields }: { readonly rules: readonly Rule[]; readonly fields: SchemaFields },
): BrokenRule[] {
  return rules.flatMap(({ field, reads, check }) => {
    const read = reads.map((path) => parseField(document, path, fields));
    if (!read.every((result) => result?.success === true)) return [];
    const problem = check(...(read.map((result) => result?.data) as never[]));
    return problem === undefined ? [] : [{ field, problem }];
  });
}

function parseField(document: unknown, path: FieldPath, fields: SchemaFields) {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return fields.schemaAt(path)?.safeParse(value);
}

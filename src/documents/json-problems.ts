/** What is wrong with JSON that a program wrote, which has no places worth naming. */
import type { z } from 'zod';
import { sanitize } from '../errors/sanitize.ts';
import { findingsOf } from './issues.ts';
import { Positions } from './positions.ts';
import { SchemaFields } from './schema-fields.ts';

/** @returns the first of them, each as `field: problem`. */
export function jsonProblems(
  { issues }: z.ZodError,
  {
    value,
    schema,
    most,
  }: { readonly value: unknown; readonly schema: z.ZodType; readonly most: number },
): string[] {
  const source = { value, positions: new Positions(''), fields: new SchemaFields(schema) };
  return issues
    .flatMap((issue) => findingsOf(issue, source))
    .slice(0, most)
    .map(({ field, problem }) => sanitize(`${field === '' ? 'the file' : field}: ${problem}`));
}

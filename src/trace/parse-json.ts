import { nestsTooDeep } from './nesting.ts';
import type { TraceRecord } from './record.ts';
import { traceRecordSchema } from './schema.ts';

export function parseJsonLine(
  text: string,
): { readonly record: TraceRecord } | { readonly problem: string } {
  if (nestsTooDeep(text)) return { problem: 'nests too deeply for a record of a trace' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is no JSON, or was cut off' };
  }
  return checkedRecord(value);
}

/** @param value The value that was read, which may be anything. */
export function checkedRecord(
  value: unknown,
): { readonly record: TraceRecord } | { readonly problem: string } {
  const checked = traceRecordSchema.safeParse(value);
  if (checked.success) return { record: checked.data as TraceRecord };
  const [issue] = checked.error.issues;
  const field = issue?.path.join('.') ?? '';
  return {
    problem: `is no record of a trace${field === '' ? '' : `: ${field} is not what it should be`}`,
  };
}

import { z } from 'zod';
import type { FieldMeta } from '../documents/notation.ts';

/** A path has no NUL, since the kernel would end it there. */
export function filePath(meta: FieldMeta) {
  return z
    .string()
    .min(1)
    .regex(/^[^\0]*$/, { error: 'must not contain a NUL character' })
    .meta(meta);
}

/** Entries that follow each other, as they do after the header of many structs. */
import type { Fields, Layout, ValuesOf } from './layout.ts';

export function decodeArray<const F extends Fields>(
  layout: Layout<F>,
  bytes: Uint8Array,
  count: number,
): ValuesOf<F>[] {
  const { sizeBytes } = layout;
  return Array.from({ length: count }, (_, index) =>
    layout.decode(bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes)),
  );
}

/** The bytes that an entry has no field for are those of `base`, or zero. */
export function encodeArray<const F extends Fields>(
  layout: Layout<F>,
  entries: readonly ValuesOf<F>[],
  base?: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(entries.length * layout.sizeBytes);
  if (base !== undefined) bytes.set(base.subarray(0, bytes.length));
  for (const [index, entry] of entries.entries()) {
    layout.encodeInto(bytes.subarray(index * layout.sizeBytes), entry);
  }
  return bytes;
}

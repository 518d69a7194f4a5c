/** A firmware image is mapped so that it ends here: the reset vector is 16 bytes below. */
export const fourGiB = 1n << 32n;

/** Gives the GPA of an image's first byte. */
export function loadAddressOf(sizeBytes: number): bigint {
  return fourGiB - BigInt(sizeBytes);
}

/** Builds TDVF images for tests, right and wrong, byte by byte from the design guide. */

export interface SectionEntry {
  readonly dataOffset: number;
  readonly rawSizeBytes: number;
  readonly gpa: bigint;
  readonly memorySizeBytes: bigint;
  readonly type: number;
  readonly attributes: number;
}

export interface TdvfImageParts {
  readonly sections: readonly SectionEntry[];
  readonly sizeBytes?: number;
  readonly descriptorOffset?: number;
  readonly version?: number;
  /** What the descriptor says; by default what is true. */
  readonly length?: number;
  readonly count?: number;
  readonly foundBy?: 'guided-table' | 'legacy-offset';
}

/** The fill and the sections of "synthetic image A", whose MRTD two other programs agree on. */
export const imageA: TdvfImageParts & { readonly sections: readonly SectionEntry[] } = {
  sections: [
    section(0x1000, 0xf000, 0xffff1000n, 0xf000n, 0, 1),
    section(0, 0x1000, 0xffff0000n, 0x1000n, 1, 0),
    section(0, 0, 0x810000n, 0x2000n, 3, 0),
    section(0, 0, 0x809000n, 0x2000n, 2, 0),
  ],
};

export function buildTdvfImage(parts: TdvfImageParts): Buffer {
  const sizeBytes = parts.sizeBytes ?? 0x10000;
  const descriptor = parts.descriptorOffset ?? sizeBytes - 0x400;
  const image = Buffer.alloc(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) image[i] = (7 * i + 13 * (i >> 8) + 3) & 0xff;

  image.write('f3f9eae98e16d544a8eb7f4d8738f6ae', descriptor - 16, 'hex');
  image.write('TDVF', descriptor);
  image.writeUInt32LE(parts.length ?? 16 + 32 * parts.sections.length, descriptor + 4);
  image.writeUInt32LE(parts.version ?? 1, descriptor + 8);
  image.writeUInt32LE(parts.count ?? parts.sections.length, descriptor + 12);
  parts.sections.forEach((entry, index) => {
    writeSection(image, descriptor + 16 + 32 * index, entry);
  });

  const tableEnd = sizeBytes - 0x20;
  if (parts.foundBy === 'legacy-offset') {
    image.writeUInt32LE(descriptor, tableEnd);
  } else {
    image.write('de82b596b21ff745baeaa366c55a082d', tableEnd - 16, 'hex');
    image.writeUInt16LE(40, tableEnd - 18);
    image.write('35657ae44a989847865e4685a7bf8ec2', tableEnd - 34, 'hex');
    image.writeUInt16LE(22, tableEnd - 36);
    image.writeUInt32LE(sizeBytes - descriptor, tableEnd - 40);
  }
  return image;
}

/** Image A with one section changed. */
export function withSection(index: number, change: Partial<SectionEntry>): Buffer {
  return buildTdvfImage({
    ...imageA,
    sections: imageA.sections.map((entry, i) => (i === index ? { ...entry, ...change } : entry)),
  });
}

function writeSection(image: Buffer, offset: number, entry: SectionEntry): void {
  image.writeUInt32LE(entry.dataOffset, offset);
  image.writeUInt32LE(entry.rawSizeBytes, offset + 4);
  image.writeBigUInt64LE(entry.gpa, offset + 8);
  image.writeBigUInt64LE(entry.memorySizeBytes, offset + 16);
  image.writeUInt32LE(entry.type, offset + 24);
  image.writeUInt32LE(entry.attributes, offset + 28);
}

function section(
  dataOffset: number,
  rawSizeBytes: number,
  gpa: bigint,
  memorySizeBytes: bigint,
  type: number,
  attributes: number,
): SectionEntry {
  return { dataOffset, rawSizeBytes, gpa, memorySizeBytes, type, attributes };
}

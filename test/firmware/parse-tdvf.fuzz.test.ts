import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { parseTdvf, predictMrtd } from '../../src/firmware/index.ts';
import { buildTdvfImage, imageA } from './tdvf-image.ts';

const valid = buildTdvfImage(imageA);
const fourGiB = 1n << 32n;

type Outcome = { readonly sections: unknown } | { readonly message: string };

/** What parsing gives. Anything thrown that is not the parser's own error fails the test. */
function outcomeOf(bytes: Uint8Array, varsSizeBytes?: number): Outcome {
  try {
    return { sections: parseTdvf(bytes, { varsSizeBytes }).sections };
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    expect(error.code).toBe('TDCTL_E_FIRMWARE_INVALID');
    return { message: [error.message, ...error.details].join('\n') };
  }
}

/** The same bytes with others around them, which must not matter. */
function surrounded(bytes: Uint8Array, fill: number): Uint8Array {
  const larger = Buffer.concat([Buffer.alloc(4099, fill), bytes, Buffer.alloc(4096, fill)]);
  return larger.subarray(4099, 4099 + bytes.length);
}

function checkOutcome(bytes: Uint8Array): void {
  const outcome = outcomeOf(bytes);
  expect(outcomeOf(surrounded(bytes, 0xff))).toEqual(outcome);
  if (!('sections' in outcome)) return;

  const { sections } = parseTdvf(bytes);
  let end = 0n;
  for (const section of sections.toSorted((a, b) => (a.gpa < b.gpa ? -1 : 1))) {
    expect(section.gpa >= end, 'sections overlap').toBe(true);
    end = section.gpa + section.memorySizeBytes;
    expect(section.gpa % 4096n).toBe(0n);
    expect(section.memorySizeBytes % 4096n).toBe(0n);
    expect(section.memorySizeBytes > 0n && section.memorySizeBytes <= fourGiB).toBe(true);
    if (section.rawSizeBytes > 0) {
      expect(section.dataOffset + section.rawSizeBytes).toBeLessThanOrEqual(bytes.length);
    }
    if (section.measured) expect(BigInt(section.rawSizeBytes)).toBe(section.memorySizeBytes);
  }
  const memory = sections.reduce((sum, section) => sum + section.memorySizeBytes, 0n);
  if (memory < 0x1000_0000n) {
    const { addedPages } = predictMrtd({ bytes, sections }, { order: 'page' });
    expect(BigInt(addedPages) * 4096n).toBe(memory);
  }
}

const mutation = fc.record({
  // Most of the image is measured content; what matters is the metadata and the table.
  offset: fc.oneof(
    fc.integer({ min: 0xfbf0, max: 0xfc90 }),
    fc.integer({ min: 0xffb8, max: 0xffe3 }),
    fc.integer({ min: 0, max: valid.length - 1 }),
  ),
  byte: fc.integer({ min: 0, max: 255 }),
});

const u32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 0x1000, 0xf000, 0xffff_f000, 0xffff_ffff),
);
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 20n) - 1n }).map((page) => page * 4096n),
  fc.constantFrom(0n, 0x1000n, 0xffff0000n, fourGiB, 1n << 51n, (1n << 64n) - 0x1000n),
);
const sectionEntry = fc.record({
  dataOffset: u32,
  rawSizeBytes: u32,
  gpa: u64,
  memorySizeBytes: u64,
  type: fc.oneof(fc.integer({ min: 0, max: 9 }), u32),
  attributes: fc.oneof(fc.integer({ min: 0, max: 3 }), u32),
});

describe('parseTdvf returns or throws its own error, whatever the bytes', () => {
  test.prop([fc.uint8Array({ maxLength: 3 * 4096 })])('random bytes of any length', (bytes) => {
    checkOutcome(bytes);
  });

  test.prop([fc.uint8Array({ minLength: 4096, maxLength: 4096, size: 'max' })], { numRuns: 50 })(
    'a page of random bytes',
    checkOutcome,
  );

  test.prop([fc.array(mutation, { minLength: 1, maxLength: 8 })], { numRuns: 1000 })(
    'a valid image with some bytes changed',
    (mutations) => {
      const image = Buffer.from(valid);
      for (const { offset, byte } of mutations) image[offset] = byte;
      checkOutcome(image);
    },
  );

  test.prop([fc.integer({ min: 0, max: valid.length }), fc.integer({ min: 0, max: valid.length })])(
    'any piece of a valid image',
    (a, b) => {
      checkOutcome(valid.subarray(Math.min(a, b), Math.max(a, b)));
    },
  );

  test.prop(
    [
      fc.record(
        {
          sections: fc.array(fc.oneof(fc.constantFrom(...imageA.sections), sectionEntry), {
            maxLength: 24,
          }),
          foundBy: fc.constantFrom('guided-table' as const, 'legacy-offset' as const),
          descriptorOffset: fc.integer({ min: 16, max: 0xfcc0 }),
          version: fc.oneof(fc.constant(1), u32),
          length: u32,
          count: u32,
        },
        { requiredKeys: ['sections', 'foundBy'] },
      ),
    ],
    { numRuns: 500 },
  )('a descriptor with any fields', (parts) => {
    checkOutcome(buildTdvfImage(parts));
  });

  test.prop([fc.integer({ min: 0, max: 20 * 4096 }), fc.integer({ min: 0, max: 16 })])(
    'any variable store in front of any rest of an image',
    (varsSizeBytes, cutPages) => {
      const code = valid.subarray(cutPages * 4096);
      outcomeOf(Buffer.concat([Buffer.alloc(varsSizeBytes), code]), varsSizeBytes);
    },
  );
});

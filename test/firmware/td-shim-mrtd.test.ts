import { createHash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type MeasurementOrder, parseTdvf, predictMrtd } from '../../src/firmware/index.ts';
import { thrownBy } from './expect-error.ts';
import { buildTdvfImage, type SectionEntry } from './tdvf-image.ts';

const orders = ['page', 'section'] as const satisfies readonly MeasurementOrder[];
const pageBytes = 0x1000;
const imageBytes = 0x20000;
const sectionTypes = { permMem: 4, payload: 5, payloadParam: 6, tdInfo: 7, tdParams: 8 } as const;
const attributes = { extendMr: 1, pageAug: 2 } as const;

/** An image as td-shim lays it out: all memory by PERM_MEM, a payload within, data of its own. */
const code = entry(0, 0xffff_0000n, { at: 0x10000, bytes: 0xf000, memory: 0xf000n }, 1);
const tdHob = entry(2, 0x80_0000n, { at: 0, bytes: 0, memory: 0x2000n });
const payload = entry(
  sectionTypes.payload,
  0x120_0000n,
  { at: 0x2000, bytes: 0x5000, memory: 0x5000n },
  attributes.extendMr,
);
const payloadParam = entry(sectionTypes.payloadParam, 0x110_0000n, {
  at: 0,
  bytes: 0,
  memory: 0x3000n,
});
const permMem = entry(
  sectionTypes.permMem,
  0x1_0000_0000n,
  // More than can be added page by page, because it is not.
  { at: 0, bytes: 0, memory: 0x2_0000_0000n },
  attributes.pageAug,
);
const tdInfo = entry(sectionTypes.tdInfo, 0n, { at: 0x10100, bytes: 0x80, memory: 0n });
const tdParams = entry(sectionTypes.tdParams, 0n, { at: 0x10200, bytes: 0x80, memory: 0n });

const shim = [code, tdHob, payload, payloadParam, permMem, tdInfo, tdParams];

function entry(
  type: number,
  gpa: bigint,
  { at, bytes, memory }: { at: number; bytes: number; memory: bigint },
  attribute = 0,
): SectionEntry {
  const placed = { dataOffset: at, rawSizeBytes: bytes, gpa, memorySizeBytes: memory };
  return { ...placed, type, attributes: attribute };
}

function imageOf(sections: readonly SectionEntry[]): Buffer {
  return buildTdvfImage({ sections, sizeBytes: imageBytes, foundBy: 'legacy-offset' });
}

function predict(bytes: Uint8Array, order: MeasurementOrder) {
  return predictMrtd({ bytes, ...parseTdvf(bytes) }, { order });
}

/** The stream of MRTD once more, from its definition: what each leaf call puts into SHA-384. */
function expectedMrtd(
  image: Buffer,
  sections: readonly SectionEntry[],
  order: MeasurementOrder,
): string {
  const hash = createHash('sha384');
  const block = (name: string, gpa: bigint) => {
    const bytes = Buffer.alloc(128);
    bytes.write(name, 'ascii');
    bytes.writeBigUInt64LE(gpa, 16);
    hash.update(bytes);
  };
  const extendPage = ({ dataOffset, gpa }: SectionEntry, page: number) => {
    for (let chunk = page * pageBytes; chunk < (page + 1) * pageBytes; chunk += 256) {
      block('MR.EXTEND', gpa + BigInt(chunk));
      hash.update(image.subarray(dataOffset + chunk, dataOffset + chunk + 256));
    }
  };
  for (const section of sections) {
    if ((section.attributes & attributes.pageAug) !== 0) continue;
    const isExtended = (section.attributes & attributes.extendMr) !== 0;
    const pages = Number(section.memorySizeBytes) / pageBytes;
    for (let page = 0; page < pages; page++) {
      block('MEM.PAGE.ADD', section.gpa + BigInt(page * pageBytes));
      if (order === 'page' && isExtended) extendPage(section, page);
    }
    if (order === 'page' || !isExtended) continue;
    for (let page = 0; page < pages; page++) extendPage(section, page);
  }
  return hash.digest('hex');
}

describe("an image with td-shim's own sections", () => {
  test.each(orders)('has the MRTD of the rules, in %s order', (order) => {
    const image = imageOf(shim);
    expect(predict(image, order)).toEqual({
      order,
      mrtd: expectedMrtd(image, shim, order),
      addedPages: 0xf + 2 + 5 + 3,
      measuredPages: 0xf + 5,
      hashedBytes: (0xf + 2 + 5 + 3) * 128 + (0xf + 5) * 16 * 384,
    });
  });

  test('has another MRTD in the other order', () => {
    const image = imageOf(shim);
    expect(predict(image, 'page').mrtd).not.toBe(predict(image, 'section').mrtd);
  });

  test('needs no TD HOB where PERM_MEM has its memory', () => {
    const sections = shim.filter((section) => section !== tdHob);
    expect(parseTdvf(imageOf(sections)).sections.map(({ type }) => type)).not.toContain('TD_HOB');
  });

  // The metadata lies outside the code of these images, so that a change of it alone is not measured.
  test.each([
    ['TD_INFO', tdInfo],
    ['TD_PARAMS', tdParams],
    ['PERM_MEM with PAGE.AUG', permMem],
  ])('is measured as without its %s', (_, left) => {
    const without = shim.filter((section) => section !== left);
    expect(predict(imageOf(without), 'page').mrtd).toBe(predict(imageOf(shim), 'page').mrtd);
  });

  test.each([
    ['PAYLOAD', payload, { ...payload, attributes: 0 }],
    ['PERM_MEM', { ...permMem, memorySizeBytes: 0x4000n }, undefined],
  ])('has another MRTD when an attribute of its %s is changed', (_, section, changed) => {
    const rest = shim.filter(({ type }) => type !== section.type);
    const before = [...rest, section];
    const after = [...rest, changed ?? { ...section, attributes: 0 }];
    expect(predict(imageOf(after), 'page').mrtd).not.toBe(predict(imageOf(before), 'page').mrtd);
  });

  test('a second payload is refused', () => {
    const second = { ...payload, gpa: 0x400_0000n };
    const error = thrownBy(() => parseTdvf(imageOf([...shim, second])));
    expect(error.message).toBe('2 sections are of type PAYLOAD, of one at most');
  });

  test('no TD HOB and no PERM_MEM is refused', () => {
    const error = thrownBy(() => parseTdvf(imageOf([code, payload])));
    expect(error.message).toMatch(/^0 sections are of type TD_HOB/);
  });
});

/** Sections side by side in memory, in any order, with what their types may have. */
const laidOut = fc
  .array(
    fc.record({
      kind: fc.constantFrom('payload', 'scratch', 'permanent', 'variables'),
      pages: fc.integer({ min: 1, max: 4 }),
      extended: fc.boolean(),
      later: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => {
    let gpa = 0x100_0000n;
    let hasPayload = false;
    const sections = pieces.flatMap(({ kind, pages, extended, later }): SectionEntry[] => {
      if (kind === 'payload' && hasPayload) return [];
      hasPayload ||= kind === 'payload';
      const memory = BigInt(pages * pageBytes);
      const bytes = kind === 'payload' || kind === 'variables' ? pages * pageBytes : 0;
      const mark = bytes > 0 && extended ? attributes.extendMr : 0;
      const aug = kind === 'permanent' && later ? attributes.pageAug : 0;
      const type = { payload: sectionTypes.payload, scratch: 3, permanent: 4, variables: 1 }[kind];
      const made = entry(type, gpa, { at: 0x1000, bytes, memory }, mark | aug);
      gpa += memory;
      return [made];
    });
    return [...sections, code, tdHob];
  });

property.prop([laidOut, fc.constantFrom(...orders)])(
  'any image has the MRTD that the definition gives',
  (sections, order) => {
    const image = imageOf(sections);
    // The variables of these images lie where no store would: the parser is not asked about one.
    expect(predict(image, order).mrtd).toBe(expectedMrtd(image, sections, order));
  },
);

property.prop([laidOut, fc.constantFrom(...orders)])(
  'the sections in reverse have another MRTD, unless that is the same list of pages',
  (sections, order) => {
    const reversed = [...sections].reverse();
    const [one, other] = [imageOf(sections), imageOf(reversed)];
    const isSame = expectedMrtd(one, sections, order) === expectedMrtd(other, reversed, order);
    expect(predict(one, order).mrtd === predict(other, order).mrtd).toBe(isSame);
  },
);

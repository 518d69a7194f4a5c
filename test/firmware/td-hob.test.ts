import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { buildTdHob, parseTdvf, type TdvfSection } from '../../src/firmware/index.ts';
import { thrownBy } from './expect-error.ts';
import { buildTdvfImage, imageA } from './tdvf-image.ts';

const { sections } = parseTdvf(buildTdvfImage(imageA));
const hobGpa = 0x809000n;

interface Resource {
  readonly type: number;
  readonly attributes: number;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

/** Walks the list as firmware does: by type and length, to the end-of-list block. */
function readList(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const resources: Resource[] = [];
  let offset = view.getUint16(2, true);
  while (view.getUint16(offset, true) !== 0xffff) {
    expect(view.getUint16(offset, true)).toBe(3);
    resources.push({
      type: view.getUint32(offset + 24, true),
      attributes: view.getUint32(offset + 28, true),
      gpa: view.getBigUint64(offset + 32, true),
      sizeBytes: view.getBigUint64(offset + 40, true),
    });
    offset += view.getUint16(offset + 2, true);
  }
  return { resources, endOffset: offset + view.getUint16(offset + 2, true), view };
}

function scratch(gpa: bigint, memorySizeBytes: bigint): TdvfSection {
  const none = { dataOffset: 0, rawSizeBytes: 0, measured: false, pageAug: false };
  return { type: 'TEMP_MEM', gpa, memorySizeBytes, ...none };
}

describe('the TD HOB', () => {
  test('is, byte for byte, what the PI specification lays out', () => {
    const bytes = buildTdHob({ sections, ram: [{ gpa: 0n, sizeBytes: 0x1000_0000n }] });
    const listed = Buffer.from(bytes).toString('hex');
    const resource = (type: string, gpa: string, size: string) =>
      `0300300000000000${'00'.repeat(16)}${type}07000000${gpa}${size}`;
    expect(listed).toBe(
      [
        // PHIT: type 1, 56 bytes, version 9, boot mode 0, four zero addresses, end of the list.
        `0100380000000000${'09000000'}${'00000000'}${'00'.repeat(32)}3091800000000000`,
        resource('07000000', '0000000000000000', '0090800000000000'),
        resource('00000000', '0090800000000000', '0020000000000000'),
        resource('07000000', '00b0800000000000', '0050000000000000'),
        resource('00000000', '0000810000000000', '0020000000000000'),
        resource('07000000', '0020810000000000', '00e07e0f00000000'),
        'ffff080000000000',
      ].join(''),
    );
  });

  test('has the ranges in ascending order, also above 4 GiB and given in another order', () => {
    const bytes = buildTdHob({
      sections,
      ram: [
        { gpa: 0x1_0000_0000n, sizeBytes: 0x8000_0000n },
        { gpa: 0n, sizeBytes: 0x8000_0000n },
      ],
    });
    const { resources } = readList(bytes);
    expect(resources.map(({ gpa }) => gpa)).toEqual([
      0n,
      0x809000n,
      0x80b000n,
      0x810000n,
      0x812000n,
      0x1_0000_0000n,
    ]);
  });

  test.prop([
    fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 60 }),
    fc.integer({ min: 0x80c, max: 0x10000 }),
  ])('covers the RAM once, and marks exactly the added sections', (pages, ramPages) => {
    const all = [...sections, ...pages.map((page) => scratch(BigInt(page) * 4096n, 4096n))];
    const withoutTemp = all.filter(({ gpa }) => gpa !== 0x810000n);
    const ram = [{ gpa: 0n, sizeBytes: BigInt(ramPages) * 4096n }];
    const bytes = buildTdHob({ sections: withoutTemp, ram });
    const { resources, endOffset, view } = readList(bytes);

    expect(endOffset).toBe(bytes.length);
    expect(view.getBigUint64(48, true)).toBe(hobGpa + BigInt(bytes.length));
    let end = 0n;
    for (const resource of resources) {
      expect(resource.gpa).toBe(end);
      end += resource.sizeBytes;
    }
    expect(end).toBe(ram[0]?.sizeBytes);
    expect(resources.filter(({ type }) => type === 0).map(({ gpa }) => gpa)).toEqual(
      withoutTemp
        .filter(({ type }) => type === 'TD_HOB' || type === 'TEMP_MEM')
        .map(({ gpa }) => gpa)
        .sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  test('a section outside the RAM is refused with its number', () => {
    const ram = [{ gpa: 0n, sizeBytes: 0x810000n }];
    const error = thrownBy(() => buildTdHob({ sections, ram, place: 'firmware.fd' }));
    expect(error).toMatchObject({ code: 'TDCTL_E_FIRMWARE_INVALID', place: 'firmware.fd' });
    expect(error.message).toMatch(/^section 2 \(TEMP_MEM\) at 0x810000-0x811fff does not lie/);
    expect(error.hint).toMatch(/needs RAM up to 0x812000/);
  });

  test('a list longer than its section is refused', () => {
    const many = Array.from({ length: 200 }, (_, i) => scratch(BigInt(2 * i) * 4096n, 4096n));
    const error = thrownBy(() =>
      buildTdHob({ sections: [...sections, ...many], ram: [{ gpa: 0n, sizeBytes: 1n << 30n }] }),
    );
    expect(error.message).toMatch(/^the TD HOB takes \d+ bytes for 404 memory ranges/);
  });
});

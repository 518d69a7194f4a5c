import { describe, expect, test } from 'vitest';
import { parseTdvf } from '../../src/firmware/index.ts';
import { thrownBy } from './expect-error.ts';
import { buildTdvfImage, imageA, type SectionEntry, withSection } from './tdvf-image.ts';

const footerEnd = 0x10000 - 0x20;

function patched(patch: (image: Buffer) => void): Buffer {
  const image = buildTdvfImage(imageA);
  patch(image);
  return image;
}

function withSections(sections: readonly SectionEntry[]): Buffer {
  return buildTdvfImage({ ...imageA, sections });
}

describe('a valid image', () => {
  test('gives its sections in metadata order', () => {
    expect(parseTdvf(buildTdvfImage(imageA))).toEqual({
      descriptor: { offset: 0xfc00, foundBy: 'guided-table' },
      sections: [
        {
          type: 'BFV',
          dataOffset: 0x1000,
          rawSizeBytes: 0xf000,
          gpa: 0xffff1000n,
          memorySizeBytes: 0xf000n,
          measured: true,
          pageAug: false,
        },
        {
          type: 'CFV',
          dataOffset: 0,
          rawSizeBytes: 0x1000,
          gpa: 0xffff0000n,
          memorySizeBytes: 0x1000n,
          measured: false,
          pageAug: false,
        },
        {
          type: 'TEMP_MEM',
          dataOffset: 0,
          rawSizeBytes: 0,
          gpa: 0x810000n,
          memorySizeBytes: 0x2000n,
          measured: false,
          pageAug: false,
        },
        {
          type: 'TD_HOB',
          dataOffset: 0,
          rawSizeBytes: 0,
          gpa: 0x809000n,
          memorySizeBytes: 0x2000n,
          measured: false,
          pageAug: false,
        },
      ],
    });
  });

  test('is read the same by the legacy offset', () => {
    const legacy = parseTdvf(buildTdvfImage({ ...imageA, foundBy: 'legacy-offset' }));
    expect(legacy.descriptor.foundBy).toBe('legacy-offset');
    expect(legacy.sections).toEqual(parseTdvf(buildTdvfImage(imageA)).sections);
  });

  test('may have other entries in the table, before and after the TDX one', () => {
    const image = buildTdvfImage(imageA);
    const tdxEntry = image.subarray(footerEnd - 40, footerEnd - 18);
    const other = Buffer.alloc(18 + 5, 0x11);
    other.writeUInt16LE(other.length, 5);
    const table = Buffer.concat([other, tdxEntry, other]);
    image.writeUInt16LE(table.length + 18, footerEnd - 18);
    image.set(Buffer.from(table), footerEnd - 18 - table.length);
    expect(parseTdvf(image).descriptor.foundBy).toBe('guided-table');
  });

  test('may have a variable store larger in memory than in the file, when it is not measured', () => {
    const image = withSection(1, { rawSizeBytes: 0x800 });
    expect(parseTdvf(image).sections[1]).toMatchObject({
      rawSizeBytes: 0x800,
      memorySizeBytes: 0x1000n,
    });
  });
});

describe('an image without TDVF metadata says what is missing', () => {
  test.each([
    ['nothing at all', Buffer.alloc(0), /the file has 0 bytes/],
    ['a text file', Buffer.alloc(1221), /the file has 1221 bytes; .* 4096-byte pages/],
    ['zeros', Buffer.alloc(0x10000), /no table of GUIDed entries ends at offset 0xffe0/],
    ['ones', Buffer.alloc(0x10000, 0xff), /no legacy pointer/],
    [
      'an image cut off at its end',
      buildTdvfImage(imageA).subarray(0, 0xf000),
      /no table of GUIDed entries ends at offset 0xefe0/,
    ],
    [
      'a table with other entries only',
      patched((image) => image.writeUInt8(0, footerEnd - 20)),
      /its table of GUIDed entries has 1 entry, and none is the TDX metadata offset/,
    ],
    [
      'an empty table',
      patched((image) => image.writeUInt16LE(18, footerEnd - 18)),
      /has 0 entries, and none/,
    ],
  ])('%s', (_, bytes, message) => {
    const error = thrownBy(() => parseTdvf(bytes, { place: 'firmware.fd' }));
    expect(error.code).toBe('TDCTL_E_FIRMWARE_INVALID');
    expect(error.exitCode).toBe(5);
    expect(error.place).toBe('firmware.fd');
    expect(error.message).toMatch(message);
    expect(error.hint).toBeTruthy();
  });
});

describe('a broken way to the descriptor is refused with its offset', () => {
  test.each<[string, (image: Buffer) => void, RegExp]>([
    [
      'a table shorter than its footer',
      (image) => image.writeUInt16LE(17, footerEnd - 18),
      /a total length of 17 bytes at offset 0xffce/,
    ],
    [
      'a table longer than the file',
      (image) => image.writeUInt16LE(0xffff, footerEnd - 18),
      /a total length of 65535 bytes/,
    ],
    [
      'an entry of length 0, which would never end',
      (image) => image.writeUInt16LE(0, footerEnd - 36),
      /an entry length of 0 bytes at offset 0xffbc/,
    ],
    [
      'an entry that reaches out of the table',
      (image) => image.writeUInt16LE(23, footerEnd - 36),
      /an entry length of 23 bytes/,
    ],
    [
      'a piece of an entry at the start of the table',
      (image) => image.writeUInt16LE(40 + 17, footerEnd - 18),
      /a piece of an entry at offset 0xffa7/,
    ],
    [
      'a TDX entry of another length',
      (image) => {
        image.writeUInt16LE(18, footerEnd - 36);
        image.writeUInt16LE(36, footerEnd - 18);
      },
      /a TDX metadata entry of 18 bytes instead of 22/,
    ],
    [
      'a distance that reaches before the file',
      (image) => image.writeUInt32LE(0x10001, footerEnd - 40),
      /points 0x10001 bytes before the end of a file of 0x10000 bytes/,
    ],
    [
      'a distance of 0',
      (image) => image.writeUInt32LE(0, footerEnd - 40),
      /points 0x0 bytes before the end/,
    ],
    [
      'a distance to something else',
      (image) => image.writeUInt32LE(0x500, footerEnd - 40),
      /to offset 0xfb00, where the signature TDVF is not/,
    ],
  ])('%s', (_, patch, message) => {
    expect(thrownBy(() => parseTdvf(patched(patch))).message).toMatch(message);
  });
});

describe('a broken descriptor is refused with its offset', () => {
  test.each([
    ['another version', { version: 2 }, /offset 0xfc00 has version 2; only version 1/],
    ['no section', { count: 0, length: 16 }, /lists 0 sections/],
    ['one section only', { count: 1, length: 48 }, /lists 1 sections/],
    // 16 + 32 * 0x08000001 is 48 in 32 bits: the sum must not be taken there.
    ['a count that wraps in 32 bits', { count: 0x0800_0001, length: 48 }, /lists 134217729/],
    ['a length that does not fit the count', { length: 17 }, /length as 17 bytes; .* make it 144/],
    ['a length without its header', { length: 128 }, /length as 128 bytes; .* make it 144/],
    [
      'more sections than are before the end',
      { count: 200, length: 16 + 32 * 200 },
      /has 6416 bytes and reaches over the end of the file/,
    ],
  ])('%s', (_, parts, message) => {
    const error = thrownBy(() => parseTdvf(buildTdvfImage({ ...imageA, ...parts })));
    expect(error.message).toMatch(message);
  });
});

describe('a section that no VMM can launch is refused with its number', () => {
  test.each<[string, number, Partial<SectionEntry>, RegExp]>([
    ['address not page aligned', 2, { gpa: 0x810800n }, /^section 2 \(TEMP_MEM\): its address/],
    ['memory size not page aligned', 3, { memorySizeBytes: 0x1800n }, /^section 3 .* memory size/],
    ['no memory', 2, { memorySizeBytes: 0n }, /^section 2 .* its memory size is 0$/],
    [
      'memory that wraps around',
      2,
      { gpa: 0xffff_ffff_ffff_f000n },
      /^section 2 .* 0x2000 bytes at 0xfffffffffffff000, overflows private guest memory/,
    ],
    [
      'memory in the shared half',
      2,
      { gpa: (1n << 51n) - 0x1000n },
      /^section 2 .* overflows private guest memory \(which ends at 0x8000000000000\)/,
    ],
    [
      'raw size above memory size',
      1,
      { rawSizeBytes: 0x2000 },
      /^section 1 \(CFV\): its raw size 0x2000 is above its memory size 0x1000$/,
    ],
    [
      'data outside the file',
      0,
      { dataOffset: 0x1001 },
      /^section 0 \(BFV\): its data, 0xf000 bytes at offset 0x1001, lies outside the file of 0x10000 bytes$/,
    ],
    [
      'a data offset that wraps in 32 bits',
      0,
      { dataOffset: 0xffff_f000 },
      /at offset 0xfffff000, lies outside the file/,
    ],
    ['code without data', 0, { rawSizeBytes: 0, attributes: 0 }, /^section 0 .* and has none$/],
    ['variables without data', 1, { rawSizeBytes: 0 }, /^section 1 .* and has none$/],
    ['scratch memory with data', 2, { rawSizeBytes: 16 }, /^section 2 .* and has 0x10 bytes$/],
    ['a TD HOB with data', 3, { rawSizeBytes: 16 }, /^section 3 .* and has 0x10 bytes$/],
    [
      'measured and larger in memory than in the file',
      1,
      { rawSizeBytes: 0x800, attributes: 1 },
      /^section 1 .* VMMs differ in what they measure there$/,
    ],
    ['measured scratch memory', 2, { attributes: 1 }, /^section 2 .* VMMs differ/],
    [
      'overlapping its neighbour by a page',
      2,
      { gpa: 0x808000n },
      /^sections 2 and 3 overlap in guest memory: 0x808000-0x809fff and 0x809000-0x80afff$/,
    ],
    [
      'inside another',
      3,
      { gpa: 0xffff3000n },
      /^sections 0 and 3 overlap in guest memory: 0xffff1000-0xffffffff and 0xffff3000-0xffff4fff$/,
    ],
    [
      'more than 4 GiB in all',
      2,
      { gpa: 0x1_0000_0000n, memorySizeBytes: 0x1_0000_0000n },
      /^the sections take 0x100012000 bytes of memory together, more than 4 GiB$/,
    ],
    ['an unknown type', 2, { type: 9 }, /^section 2 has the unknown type 9$/],
    ['the largest type', 2, { type: 0xffff_ffff }, /^section 2 has the unknown type 4294967295$/],
    ['permanent memory with data', 2, { type: 4, rawSizeBytes: 16 }, /PERM_MEM\): it must have no/],
    [
      'parameters without a payload',
      2,
      { type: 6 },
      /^a section is of type PAYLOAD_PARAM, and none of type PAYLOAD$/,
    ],
    [
      'TD_INFO with memory',
      2,
      { type: 7, rawSizeBytes: 16, dataOffset: 0x1000 },
      /must have none$/,
    ],
    [
      'TD_INFO without data',
      2,
      { type: 7, dataOffset: 0x1000, gpa: 0n, memorySizeBytes: 0n },
      /^section 2 \(TD_INFO\): it must have data in the image and has none$/,
    ],
    [
      'TD_PARAMS outside the code',
      2,
      { type: 8, rawSizeBytes: 16, dataOffset: 0x800, gpa: 0n, memorySizeBytes: 0n },
      /^section 2 \(TD_PARAMS\): its data does not lie in a BFV$/,
    ],
    [
      'measured TD_INFO',
      2,
      {
        type: 7,
        rawSizeBytes: 16,
        dataOffset: 0x1000,
        gpa: 0n,
        memorySizeBytes: 0n,
        attributes: 1,
      },
      /it is measured, and has no memory$/,
    ],
    [
      'a measured payload that the VMM brings along',
      2,
      { type: 5, attributes: 1 },
      /the VMM brings its content along: MRTD does not follow from the image$/,
    ],
    [
      'a payload that is measured and added later',
      2,
      { type: 5, attributes: 3, dataOffset: 0x1000, rawSizeBytes: 0x2000 },
      /it is measured, and PAGE\.AUG adds it when measuring has ended$/,
    ],
    ['a second TD_HOB', 2, { type: 2 }, /^2 sections are of type TD_HOB/],
    ['no TD_HOB', 3, { type: 3 }, /^0 sections are of type TD_HOB/],
  ])('%s', (_, index, change, message) => {
    const error = thrownBy(() => parseTdvf(withSection(index, change)));
    expect(error.code).toBe('TDCTL_E_FIRMWARE_INVALID');
    expect(error.message).toMatch(message);
    expect(error.details).toEqual([]);
  });

  test('no code to start', () => {
    const error = thrownBy(() => parseTdvf(withSections(imageA.sections.slice(1))));
    expect(error.message).toBe('no section is a BFV, so there is no code to start');
  });

  test('several mistakes are told together', () => {
    const error = thrownBy(() =>
      parseTdvf(
        withSections(
          imageA.sections.map((entry, index) =>
            index >= 2 ? { ...entry, gpa: entry.gpa + 1n, type: 3 } : entry,
          ),
        ),
      ),
    );
    expect(error.message).toBe('the TDVF metadata has 3 mistakes');
    expect(error.details).toEqual([
      'section 2 (TEMP_MEM): its address 0x810001 is not a multiple of 4096',
      'section 3 (TEMP_MEM): its address 0x809001 is not a multiple of 4096',
      '0 sections are of type TD_HOB; a TD needs one, to learn of its memory',
    ]);
  });
});

describe('code and variable store in two files', () => {
  const whole = buildTdvfImage(imageA);
  const storeBytes = 0x1000;
  const code = whole.subarray(storeBytes);

  test('the code alone is recognised, with the reason and the remedy', () => {
    const error = thrownBy(() => parseTdvf(code, { place: 'CODE.fd' }));
    expect(error.code).toBe('TDCTL_E_FIRMWARE_INVALID');
    expect(error.message).toMatch(
      /without its variable store: .* image of 0x10000 bytes whose first 0x1000 .* has 0xf000 bytes/,
    );
    expect(error.hint).toMatch(
      /4096 bytes, too: .* --vars FILE.*firmware: \{path: CODE, vars: VARS\}/,
    );
  });

  test('a file that lacks something else in front is not taken for one', () => {
    const error = thrownBy(() => parseTdvf(whole.subarray(2 * storeBytes)));
    expect(error.message).toMatch(/lies outside the file/);
    expect(error.hint).not.toMatch(/--vars/);
  });

  test('together they are the whole image', () => {
    expect(parseTdvf(whole, { varsSizeBytes: storeBytes })).toEqual(parseTdvf(whole));
  });

  test('a variable store of another size is refused with the right size', () => {
    const joined = Buffer.concat([Buffer.alloc(2 * storeBytes), code]);
    const error = thrownBy(() => parseTdvf(joined, { varsSizeBytes: 2 * storeBytes }));
    expect(error.message).toMatch(/has 8192 bytes, and this firmware code needs one of 4096 bytes/);
  });

  test('a variable store for a whole image is refused', () => {
    const joined = Buffer.concat([Buffer.alloc(storeBytes), whole]);
    const error = thrownBy(() => parseTdvf(joined, { varsSizeBytes: storeBytes }));
    expect(error.message).toMatch(/the image is whole without one/);
    expect(error.hint).toBe('leave out --vars');
  });
});

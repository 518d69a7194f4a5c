import { createHash } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { hashedBytesPerPage, MrtdStream } from '../../src/abi/tdx/mrtd.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The definition, written out block by block: what the stream is held against. */
function block(name: string, gpa: bigint): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.write(name, 'ascii');
  bytes.writeBigUInt64LE(gpa, 16);
  return bytes;
}

const pageGpa = fc.bigInt({ min: 0n, max: (1n << 39n) - 1n }).map((frame) => frame * 4096n);
const page = fc.uint8Array({ minLength: 4096, maxLength: 4096 });

describe('MRTD known values', () => {
  test('no page at all is the SHA-384 of nothing', () => {
    expect(hex(new MrtdStream().finalize())).toBe(
      '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
    );
  });

  test('one PAGE.ADD at GPA 0', () => {
    const stream = new MrtdStream();
    stream.pageAdd(0n);
    expect(hex(stream.finalize())).toBe(
      '8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980d570',
    );
  });

  test('PAGE.ADD at 0x1000, then 16 MR.EXTEND of a zero page', () => {
    const stream = new MrtdStream();
    stream.pageAdd(0x1000n);
    for (let chunk = 0n; chunk < 16n; chunk++) {
      stream.extend(0x1000n + chunk * 256n, new Uint8Array(256));
    }
    expect(hex(stream.finalize())).toBe(
      'ca76d5541328afef8bc9364261c515aebef90412ebc56ca0c2260ec531a14462cfc0c11de61d84292ddf8ca871da1ff1',
    );
  });
});

describe('MrtdStream', () => {
  test.prop([pageGpa, page])('leaf by leaf, page by page and in one go agree', (gpa, content) => {
    const byLeaf = new MrtdStream();
    byLeaf.pageAdd(gpa);
    for (let offset = 0; offset < 4096; offset += 256) {
      byLeaf.extend(gpa + BigInt(offset), content.subarray(offset, offset + 256));
    }
    const byPage = new MrtdStream();
    byPage.pageAdd(gpa);
    byPage.extendPage(gpa, content);
    const inOneGo = new MrtdStream();
    inOneGo.addAndExtendPages(gpa, content);

    expect(inOneGo.hashedBytes).toBe(hashedBytesPerPage.measured);
    const mrtd = hex(inOneGo.finalize());
    expect(hex(byLeaf.finalize())).toBe(mrtd);
    expect(hex(byPage.finalize())).toBe(mrtd);
  });

  test.prop([
    pageGpa.filter((gpa) => gpa < 1n << 51n),
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 255 }),
  ])('any number of pages at once is the same as one after the other', (gpa, count, seed) => {
    const pages = Uint8Array.from(
      { length: count * 4096 },
      (_, i) => (i * 31 + (i >> 12) + seed) & 0xff,
    );
    const atOnce = new MrtdStream();
    atOnce.addAndExtendPages(gpa, pages);
    const oneByOne = new MrtdStream();
    for (let offset = 0; offset < pages.length; offset += 4096) {
      oneByOne.pageAdd(gpa + BigInt(offset));
      oneByOne.extendPage(gpa + BigInt(offset), pages.subarray(offset, offset + 4096));
    }
    expect(atOnce.hashedBytes).toBe(count * hashedBytesPerPage.measured);
    expect(hex(atOnce.finalize())).toBe(hex(oneByOne.finalize()));
  });

  test.prop([
    fc.array(fc.tuple(fc.boolean(), pageGpa, fc.uint8Array({ minLength: 256, maxLength: 256 }))),
  ])('hashes exactly the blocks of the definition, in call order', (leaves) => {
    const stream = new MrtdStream();
    const blocks: Uint8Array[] = [];
    for (const [isAdd, gpa, chunk] of leaves) {
      if (isAdd) {
        stream.pageAdd(gpa);
        blocks.push(block('MEM.PAGE.ADD', gpa));
      } else {
        stream.extend(gpa + 0xf00n, chunk);
        blocks.push(block('MR.EXTEND', gpa + 0xf00n), chunk);
      }
    }
    const definition = Buffer.concat(blocks);
    expect(stream.hashedBytes).toBe(definition.length);
    expect(hex(stream.finalize())).toBe(createHash('sha384').update(definition).digest('hex'));
  });

  test.prop([pageGpa, pageGpa, page, page])(
    'two streams fed in turns do not disturb each other',
    (gpaA, gpaB, pageA, pageB) => {
      const alone = (gpa: bigint, content: Uint8Array) => {
        const stream = new MrtdStream();
        stream.pageAdd(gpa);
        stream.addAndExtendPages(gpa, content);
        return hex(stream.finalize());
      };
      const a = new MrtdStream();
      const b = new MrtdStream();
      a.pageAdd(gpaA);
      b.pageAdd(gpaB);
      a.addAndExtendPages(gpaA, pageA);
      b.addAndExtendPages(gpaB, pageB);
      expect([hex(a.finalize()), hex(b.finalize())]).toEqual([
        alone(gpaA, pageA),
        alone(gpaB, pageB),
      ]);
    },
  );

  test('a finalized stream takes nothing more and gives its digest once', () => {
    const stream = new MrtdStream();
    stream.finalize();
    expect(() => stream.finalize()).toThrow('finalized');
    expect(() => stream.pageAdd(0n)).toThrow('finalized');
    expect(() => stream.extend(0n, new Uint8Array(256))).toThrow('finalized');
    expect(() => stream.addAndExtendPages(0n, new Uint8Array(4096))).toThrow('finalized');
  });

  test('addresses that are not aligned and chunks of another size are refused', () => {
    const stream = new MrtdStream();
    expect(() => stream.pageAdd(0x100n)).toThrow(RangeError);
    expect(() => stream.pageAdd(-0x1000n)).toThrow(RangeError);
    expect(() => stream.pageAdd(1n << 64n)).toThrow(RangeError);
    expect(() => stream.extend(0x80n, new Uint8Array(256))).toThrow(RangeError);
    expect(() => stream.extend(0n, new Uint8Array(255))).toThrow(RangeError);
    expect(() => stream.extendPage(0n, new Uint8Array(4097))).toThrow(RangeError);
    expect(() => stream.addAndExtendPages(0n, new Uint8Array(4097))).toThrow(RangeError);
    expect(stream.hashedBytes).toBe(0);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { loadFirmware, parseTdvf, predictMrtd } from '../../src/firmware/index.ts';
import { bookworm, ovmf, skipUnlessKnown, skipWithout } from './debian-ovmf.ts';
import { buildTdvfImage, imageA, withSection } from './tdvf-image.ts';

const imageAMrtd = {
  page: '1fe8108df332b9057840adf7f27a115a619807fc972647366814e811f7eb3af36445338c1a7937f2a3cbd55a4da71c69',
  section:
    '40fed99982b58e73cb4234a4072aef393635d71a9c5ed82b819e909cd3592a20cbd7485f49aa354d637ef3ccb9ae80f0',
} as const;

function predict(bytes: Uint8Array, order: 'page' | 'section') {
  return predictMrtd({ bytes, ...parseTdvf(bytes) }, { order });
}

describe('synthetic image A', () => {
  test('is built here as the reference describes it', () => {
    expect(createHash('sha256').update(buildTdvfImage(imageA)).digest('hex')).toBe(
      '245ad03933d9bbc6e018a3730d6fdaab45c55f2c456cec1944c55814f7ebd63d',
    );
  });

  test.each(['page', 'section'] as const)('has its known MRTD in %s order', (order) => {
    expect(predict(buildTdvfImage(imageA), order)).toEqual({
      order,
      mrtd: imageAMrtd[order],
      addedPages: 20,
      measuredPages: 15,
      hashedBytes: 20 * 128 + 15 * 16 * 384,
    });
  });

  test('has the same MRTD from a buffer that is a view into a larger one', () => {
    const image = buildTdvfImage(imageA);
    const larger = Buffer.concat([Buffer.alloc(13, 0xaa), image, Buffer.alloc(7, 0xaa)]);
    const view = larger.subarray(13, 13 + image.length);
    expect(predict(view, 'page').mrtd).toBe(imageAMrtd.page);
  });
});

describe('what MRTD depends on', () => {
  const known = predict(buildTdvfImage(imageA), 'page').mrtd;

  test('every byte of a measured section', () => {
    const image = buildTdvfImage(imageA);
    image[0x1000] = 0xff - (image[0x1000] ?? 0);
    expect(predict(image, 'page').mrtd).not.toBe(known);
  });

  test('not on the content of a section that is only added', () => {
    const image = buildTdvfImage(imageA);
    image.fill(0, 0, 0x1000);
    expect(predict(image, 'page').mrtd).toBe(known);
  });

  test('where a section lies, even when it has no content', () => {
    const [, , temp] = imageA.sections;
    const moved = buildTdvfImage({
      ...imageA,
      // The metadata is itself measured: keep it out of the difference by measuring no section.
      sections: imageA.sections.map((entry) => ({ ...entry, attributes: 0 })),
    });
    const further = buildTdvfImage({
      ...imageA,
      sections: imageA.sections.map((entry) =>
        entry === temp
          ? { ...entry, attributes: 0, gpa: entry.gpa + 0x1000n }
          : { ...entry, attributes: 0 },
      ),
    });
    expect(predict(moved, 'page').mrtd).not.toBe(predict(further, 'page').mrtd);
  });

  test('the order of the sections in the metadata', () => {
    const entries = imageA.sections.map((entry) => ({ ...entry, attributes: 0 }));
    const reversed = [...entries].reverse();
    expect(predict(buildTdvfImage({ ...imageA, sections: entries }), 'page').mrtd).not.toBe(
      predict(buildTdvfImage({ ...imageA, sections: reversed }), 'page').mrtd,
    );
  });

  test('not PAGE.AUG, which no launch of ours looks at', () => {
    const plain = withSection(2, { attributes: 0 });
    const augmented = withSection(2, { attributes: 2 });
    // Put the original metadata byte back, so that only the parsed attribute differs.
    const sections = parseTdvf(augmented).sections;
    expect(sections[2]?.pageAug).toBe(true);
    expect(predictMrtd({ bytes: plain, sections }, { order: 'page' }).mrtd).toBe(known);
  });

  test('the two orders give the same where nothing is measured', () => {
    const image = withSection(0, { attributes: 0 });
    expect(predict(image, 'page').mrtd).toBe(predict(image, 'section').mrtd);
  });
});

describe("Debian's OVMF", () => {
  test('OVMF.fd of bookworm has the MRTD that two programs agree on', async (ctx) => {
    skipWithout(ctx, ovmf.whole);
    const image = await loadFirmware({ path: ovmf.whole });
    skipUnlessKnown(ctx, image, bookworm.whole);
    expect(predictMrtd(image, { order: 'page' })).toMatchObject({
      mrtd: bookworm.whole.mrtd,
      addedPages: 538,
      measuredPages: 480,
    });
  });

  test('the secure boot code with its variable store has its known MRTD', async (ctx) => {
    skipWithout(ctx, ovmf.secbootCode, ovmf.vars);
    const image = await loadFirmware({ path: ovmf.secbootCode, varsPath: ovmf.vars });
    skipUnlessKnown(ctx, image, bookworm.secboot);
    expect(predictMrtd(image, { order: 'page' }).mrtd).toBe(bookworm.secboot.mrtd);
  });

  test('code and variable store give the MRTD of the whole image', async (ctx) => {
    skipWithout(ctx, ovmf.whole, ovmf.code, ovmf.vars);
    const whole = await loadFirmware({ path: ovmf.whole });
    const joined = await loadFirmware({ path: ovmf.code, varsPath: ovmf.vars });
    expect(joined.sha256).toBe(whole.sha256);
    expect(predictMrtd(joined, { order: 'page' }).mrtd).toBe(
      predictMrtd(whole, { order: 'page' }).mrtd,
    );
  });
});

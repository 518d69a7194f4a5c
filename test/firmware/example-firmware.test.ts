import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildHelloFirmware } from '../../scripts/build-example-firmware.mjs';
import { buildExampleGuest } from '../../scripts/build-example-guest.mjs';
import { buildTdHob, loadFirmware, parseTdvf, predictMrtd } from '../../src/firmware/index.ts';
import { skipWithoutBinutils } from '../support/binutils.ts';

const path = fileURLToPath(new URL('../../examples/firmware/hello.fd', import.meta.url));

describe('examples/firmware/hello.fd', () => {
  test('is what its script builds', () => {
    expect(Buffer.compare(readFileSync(path), buildHelloFirmware())).toBe(0);
  });

  test('has the guest that its sources give', (context) => {
    skipWithoutBinutils(context);
    const built = readFileSync(new URL('../../examples/guest/guest.bin', import.meta.url));
    expect(Buffer.compare(built, buildExampleGuest())).toBe(0);
  });

  test('is found by the GUIDed table, and by the legacy offset without it', async () => {
    const image = await loadFirmware({ path });
    expect(image.descriptor.foundBy).toBe('guided-table');

    const withoutTable = Uint8Array.from(image.bytes);
    withoutTable.fill(0xff, image.sizeBytes - 0x48, image.sizeBytes - 0x20);
    expect(parseTdvf(withoutTable)).toEqual({
      descriptor: { offset: image.descriptor.offset, foundBy: 'legacy-offset' },
      sections: image.sections,
    });
  });

  test('can be built into a TD of 16 MiB', async () => {
    const { sections } = await loadFirmware({ path });
    const ram = [{ gpa: 0n, sizeBytes: 16n << 20n }];
    expect(buildTdHob({ sections, ram }).length).toBeGreaterThan(0);
  });

  test('has an MRTD of its own in each order', async () => {
    const image = await loadFirmware({ path });
    expect(predictMrtd(image, { order: 'page' }).mrtd).not.toBe(
      predictMrtd(image, { order: 'section' }).mrtd,
    );
  });
});

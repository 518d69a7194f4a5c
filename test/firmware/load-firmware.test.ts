import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadFirmware } from '../../src/firmware/index.ts';
import { ovmf, skipWithout } from './debian-ovmf.ts';
import { rejectionOf } from './expect-error.ts';
import { buildTdvfImage, imageA } from './tdvf-image.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tdctl-firmware-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const whole = buildTdvfImage(imageA);

describe('loadFirmware', () => {
  test('gives the image, its digest and where it is mapped', async () => {
    const path = file('a.fd', whole);
    const image = await loadFirmware({ path });
    expect(image).toMatchObject({
      path,
      sizeBytes: 0x10000,
      sha256: '245ad03933d9bbc6e018a3730d6fdaab45c55f2c456cec1944c55814f7ebd63d',
      loadAddress: 0xffff0000n,
    });
    expect(image).not.toHaveProperty('varsPath');
    expect(Buffer.compare(image.bytes, whole)).toBe(0);
  });

  test('puts a variable store in front of the code', async () => {
    const path = file('code.fd', whole.subarray(0x1000));
    const varsPath = file('vars.fd', whole.subarray(0, 0x1000));
    const image = await loadFirmware({ path, varsPath });
    expect(image).toMatchObject({ path, varsPath, sizeBytes: 0x10000, loadAddress: 0xffff0000n });
    expect(Buffer.compare(image.bytes, whole)).toBe(0);
  });

  test('names the firmware file when its content is wrong', async () => {
    const path = file('code-alone.fd', whole.subarray(0x1000));
    const error = await rejectionOf(loadFirmware({ path }));
    expect(error).toMatchObject({ code: 'TDCTL_E_FIRMWARE_INVALID', place: path });
    expect(error.hint).toMatch(/--vars FILE/);
  });
});

describe('a file that cannot be an image is refused with its path', () => {
  test('missing: exit 3', async () => {
    const path = join(folder, 'missing.fd');
    const error = await rejectionOf(loadFirmware({ path }));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_FOUND', exitCode: 3, place: path });
    expect(error.message).toBe('the firmware image does not exist');
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  test('below something that is not a directory', async () => {
    const path = join(file('plain.fd', whole), 'firmware.fd');
    expect(await rejectionOf(loadFirmware({ path }))).toMatchObject({ code: 'TDCTL_E_NOT_FOUND' });
  });

  test('a missing variable store is told from a missing firmware', async () => {
    const varsPath = join(folder, 'missing-vars.fd');
    const error = await rejectionOf(loadFirmware({ path: file('b.fd', whole), varsPath }));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_FOUND', place: varsPath });
    expect(error.message).toBe('the variable store does not exist');
  });

  test('a directory', async () => {
    const error = await rejectionOf(loadFirmware({ path: folder }));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_READABLE', place: folder });
    expect(error.message).toBe('the firmware image is a directory');
  });

  test('a FIFO that nobody writes to, without waiting for it', async () => {
    const path = join(folder, 'fifo');
    execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
    const error = await rejectionOf(loadFirmware({ path }));
    expect(error.message).toBe('the firmware image is not a regular file');
  });

  test('an endless device', async () => {
    const error = await rejectionOf(loadFirmware({ path: '/dev/zero' }));
    expect(error.message).toBe('the firmware image is not a regular file');
  });

  test('empty', async () => {
    const error = await rejectionOf(loadFirmware({ path: file('empty.fd', Buffer.alloc(0)) }));
    expect(error).toMatchObject({ code: 'TDCTL_E_FIRMWARE_INVALID' });
    expect(error.message).toBe('the firmware image is empty');
  });

  test('larger than 64 MiB, without reading it', async () => {
    const path = file('disk.img', Buffer.alloc(0));
    truncateSync(path, 64 * 1024 * 1024 + 1);
    const error = await rejectionOf(loadFirmware({ path }));
    expect(error).toMatchObject({ code: 'TDCTL_E_FIRMWARE_INVALID', place: path });
    expect(error.message).toBe(
      'the firmware image has 67108865 bytes, and none is larger than 64MiB',
    );
  });

  test('no permission', async (ctx) => {
    if (process.getuid?.() === 0) ctx.skip('root may read every file');
    const path = file('secret.fd', whole);
    await chmod(path, 0);
    const error = await rejectionOf(loadFirmware({ path }));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_READABLE', place: path });
    expect(error.hint).toMatch(/permissions/);
  });

  test('a path with a NUL byte', async () => {
    expect(await rejectionOf(loadFirmware({ path: 'a\0b' }))).toMatchObject({
      code: 'TDCTL_E_NOT_READABLE',
    });
  });
});

describe("Debian's OVMF", () => {
  test('OVMF_CODE.fd alone is refused with the size of the store it needs', async (ctx) => {
    skipWithout(ctx, ovmf.code);
    const error = await rejectionOf(loadFirmware({ path: ovmf.code }));
    expect(error).toMatchObject({ code: 'TDCTL_E_FIRMWARE_INVALID', place: ovmf.code });
    expect(error.message).toMatch(/without its variable store/);
    expect(error.hint).toMatch(
      /131072 bytes, too: .* --vars FILE.*firmware: \{path: CODE, vars: VARS\}/,
    );
  });

  test('OVMF_CODE.fd with the variable store of the 4 MiB build is refused', async (ctx) => {
    skipWithout(ctx, ovmf.code, ovmf.vars4m);
    const error = await rejectionOf(loadFirmware({ path: ovmf.code, varsPath: ovmf.vars4m }));
    expect(error.message).toMatch(/has 540672 bytes, and this firmware code needs one of 131072/);
  });

  test("bookworm's 4 MiB images are refused: they were built without TDX", async (ctx) => {
    skipWithout(ctx, ovmf.code4m, ovmf.vars4m);
    const attempts = [{ path: ovmf.code4m }, { path: ovmf.code4m, varsPath: ovmf.vars4m }];
    for (const attempt of attempts) {
      const error = await loadFirmware(attempt).then(
        () => undefined,
        (reason) => reason,
      );
      if (error === undefined) ctx.skip('this build of the 4 MiB image has TDVF metadata');
      expect(error.message).toMatch(/no TDVF metadata: .* so the firmware was built without TDX/);
    }
  });

  test('a variable store alone is refused', async (ctx) => {
    skipWithout(ctx, ovmf.vars);
    const error = await rejectionOf(loadFirmware({ path: ovmf.vars }));
    expect(error.message).toMatch(/no TDVF metadata/);
  });
});

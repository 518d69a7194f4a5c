import { type ImageKind, readImageFile } from '../documents/image-file.ts';
import { loadAddressOf } from './load-address.ts';
import { parseTdvf } from './parse-tdvf.ts';
import type { FirmwareImage } from './types.ts';

const imageKind = (what: string): ImageKind => ({
  what,
  op: 'read firmware',
  example: '/usr/share/ovmf/OVMF.fd',
  // Real ones have up to 16 MiB.
  largestBytes: 64 * 1024 * 1024,
  invalidCode: 'TDCTL_E_FIRMWARE_INVALID',
});

/**
 * Reads a firmware image and checks it.
 *
 * @throws TdctlError TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE (a directory, no permission, not a
 * regular file), TDCTL_E_FIRMWARE_INVALID (empty, too large, see {@link parseTdvf}).
 */
export async function loadFirmware(options: {
  readonly path: string;
  readonly varsPath?: string | undefined;
}): Promise<FirmwareImage> {
  const { path, varsPath } = options;
  const code = await readImageFile(path, imageKind('firmware image'));
  const vars =
    varsPath === undefined ? undefined : await readImageFile(varsPath, imageKind('variable store'));
  const bytes = vars ? Buffer.concat([vars, code]) : code;
  return {
    path,
    ...(varsPath === undefined ? {} : { varsPath }),
    ...parseTdvf(bytes, { place: path, varsSizeBytes: vars?.length }),
    bytes,
    sizeBytes: bytes.length,
    // Few ask, and node:crypto takes longer to load than an image.
    get sha256() {
      const { createHash } = process.getBuiltinModule('node:crypto');
      return createHash('sha256').update(bytes).digest('hex');
    },
    loadAddress: loadAddressOf(bytes.length),
  };
}

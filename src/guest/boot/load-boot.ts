/** Reads what `spec.boot` names. */
import { createHash } from 'node:crypto';
import { type ImageKind, readImageFile } from '../../documents/image-file.ts';
import type { Given } from './types.ts';

export interface BootImages {
  readonly kernel: Given<Uint8Array>;
  readonly initrd?: Given<Uint8Array>;
  /** Of both. */
  readonly sha256: string;
}

const imageKind = { op: 'read the kernel to boot', invalidCode: 'TDCTL_E_BOOT_INVALID' } as const;

const kernelKind: ImageKind = {
  ...imageKind,
  what: 'kernel',
  example: '/boot/vmlinuz',
  // An ELF image with all of its symbols has some hundred MiB.
  largestBytes: 1024 * 1024 * 1024,
};

const initrdKind: ImageKind = {
  ...imageKind,
  what: 'initrd',
  example: '/boot/initrd.img',
  // It lies below 2 GiB, where there is the kernel too.
  largestBytes: 2048 * 1024 * 1024 - 1,
};

/** @throws TdctlError TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE, TDCTL_E_BOOT_INVALID. */
export async function loadBootImages(files: {
  readonly kernelPath: string;
  readonly initrdPath?: string;
}): Promise<BootImages> {
  const { kernelPath, initrdPath } = files;
  const kernel = await readImageFile(kernelPath, kernelKind);
  const digest = createHash('sha256').update(kernel);
  if (initrdPath === undefined) {
    return { kernel: { value: kernel, place: kernelPath }, sha256: digest.digest('hex') };
  }
  const initrd = await readImageFile(initrdPath, initrdKind);
  return {
    kernel: { value: kernel, place: kernelPath },
    initrd: { value: initrd, place: initrdPath },
    sha256: digest.update(initrd).digest('hex'),
  };
}

/**
 * What direct boot adds to the measurement of a TD. None of it is in MRTD: the firmware measures the kernel, and the EFI
 * stub of the kernel its command line and initrd (drivers/firmware/efi/libstub/efi-stub-helper.c). PCR 4 and 9, which
 * they name, are RTMR[1] and RTMR[2] (UEFI specification, "Intel Trust Domain Extension").
 */
import { createHash } from 'node:crypto';
import type { BootImages } from '../guest/boot/index.ts';

export interface MeasuredInput {
  readonly what: 'kernel' | 'cmdline' | 'initrd';
  readonly field: string;
  readonly register: 1 | 2;
  /** SHA-384 of what the register is extended with; undefined where it cannot be told from the files. */
  readonly digest: string | undefined;
  readonly words: string;
}

const stubWords = 'by the EFI stub of the kernel, if it measures (Linux 6.9 and later)';

export function measuredBoot(
  cmdline: string,
  { initrd }: Pick<BootImages, 'initrd'>,
): MeasuredInput[] {
  // OVMF tells the stub where it finds the initrd (QemuLoadImageLib).
  const handedOver = initrd === undefined ? cmdline : `${cmdline} initrd=initrd`;
  return [
    {
      what: 'kernel',
      field: 'spec.boot.kernel',
      register: 1,
      digest: undefined,
      words:
        'by the firmware, as a PE image: not known from the file, because QEMU writes into the header of the kernel first',
    },
    {
      what: 'cmdline',
      field: 'spec.boot.cmdline',
      register: 2,
      digest: sha384(Buffer.from(`${handedOver}\0`, 'utf16le')),
      words: `${stubWords}, as UTF-16: ${JSON.stringify(handedOver)}`,
    },
    ...(initrd === undefined
      ? []
      : [
          {
            what: 'initrd',
            field: 'spec.boot.initrd',
            register: 2,
            digest: sha384(initrd.value),
            words: stubWords,
          } as const,
        ]),
  ];
}

function sha384(bytes: Uint8Array): string {
  return createHash('sha384').update(bytes).digest('hex');
}

/** From a kernel to what is to be written into the memory of a VM, and into the registers of its first vCPU. */
import { acpiTables } from './acpi/tables.ts';
import { bootInvalid } from './boot-error.ts';
import { isBzImage } from './bzimage.ts';
import { isElf } from './elf.ts';
import { bootLinux64 } from './linux64.ts';
import { bootPvh } from './pvh.ts';
import type { BootRequest, BootState } from './types.ts';

/**
 * The VM has KVM's full irqchip; no page of it is read or written here.
 *
 * @throws TdctlError TDCTL_E_BOOT_INVALID for what cannot be started.
 */
export function prepareBoot(request: BootRequest): BootState {
  const { protocol, writes, registers } = protocolOf(request.kernel)(request);
  return { protocol, registers, writes: [acpiTables(request.vcpus), ...writes] };
}

function protocolOf({ value: bytes, place }: BootRequest['kernel']) {
  if (isElf(bytes)) return bootPvh;
  if (isBzImage(bytes)) return bootLinux64;
  const kind = otherKinds.find(({ at = 0, begins }) =>
    Buffer.from(begins).equals(bytes.subarray(at, at + begins.length)),
  );
  throw bootInvalid({
    place,
    message:
      kind === undefined
        ? 'this is neither a bzImage of Linux nor an ELF image'
        : `this is ${kind.is}, and neither a bzImage of Linux nor an ELF image`,
    hint: kind?.hint ?? 'name the kernel as it lies in /boot: vmlinuz, or bzImage of a build',
  });
}

interface OtherKind {
  readonly begins: readonly number[];
  readonly at?: number;
  readonly is: string;
  readonly hint?: string;
}

const unpack = 'unpack it first';
const otherKinds: readonly OtherKind[] = [
  { begins: [0x1f, 0x8b], is: 'a file packed by gzip', hint: unpack },
  { begins: [0xfd, 0x37, 0x7a, 0x58, 0x5a], is: 'a file packed by xz', hint: unpack },
  { begins: [0x28, 0xb5, 0x2f, 0xfd], is: 'a file packed by zstd', hint: unpack },
  {
    begins: [0x41, 0x52, 0x4d, 0x64],
    at: 56,
    is: 'a kernel for 64-bit ARM',
    hint: 'use a kernel for x86-64',
  },
  {
    begins: [0x4d, 0x5a],
    is: 'an EFI program',
    hint: 'use the kernel itself: a unified kernel image is no bzImage',
  },
  { begins: [0x30, 0x37, 0x30, 0x37, 0x30], is: 'an archive of cpio', hint: 'name it as `initrd`' },
];

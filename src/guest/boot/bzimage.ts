/**
 * Reads a bzImage: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". The offsets are those of
 * the file, which are those of boot_params too.
 */
import { formatBytes } from '../../documents/quantity.ts';
import { bootInvalid } from './boot-error.ts';
import { places } from './places.ts';
import type { BootRequest } from './types.ts';

export const headerAt = 0x1f1;

const at = {
  setupSectors: 0x1f1,
  sysSize: 0x1f4,
  bootFlag: 0x1fe,
  jump: 0x200,
  magic: 0x202,
  version: 0x206,
  loadFlags: 0x211,
  initrdAddressMax: 0x22c,
  xloadFlags: 0x236,
  commandLineSize: 0x238,
  preferredAddress: 0x258,
  initSize: 0x260,
  /** The last field of 2.12 ends here. */
  leastEnd: 0x268,
  /** The next field of boot_params begins here. */
  mostEnd: 0x290,
} as const;

const magic = Buffer.from('HdrS');
const bootFlag = 0xaa55;
/** The first one with `xloadflags`, which promises the 64-bit entry. */
const leastVersion = 0x20c;
const LOADED_HIGH = 1 << 0;
const XLF_KERNEL_64 = 1 << 0;
const sectorBytes = 512;
const paragraphBytes = 16;

export interface BzImage {
  /** The setup header, as it goes into boot_params at {@link headerAt}. */
  readonly header: Uint8Array;
  /** The part that runs in protected or long mode. */
  readonly payload: Uint8Array;
  readonly loadAddress: bigint;
  /** What it needs from there on until it knows its memory. */
  readonly initBytes: bigint;
  readonly lastInitrdAddress: bigint;
  /** Without the NUL. */
  readonly mostOfCommandLine: number;
}

export function isBzImage(bytes: Uint8Array): boolean {
  return magic.equals(bytes.subarray(at.magic, at.magic + magic.length));
}

/** @throws TdctlError TDCTL_E_BOOT_INVALID for whatever is not right with it. */
export function parseBzImage({ value: bytes, place }: BootRequest['kernel']): BzImage {
  const invalid = (message: string, hint: string) => bootInvalid({ place, message, hint });
  const again = 'fetch or build the kernel again';
  if (bytes.length < at.mostEnd) {
    throw invalid(`the bzImage is cut off inside its header: it has ${bytes.length} bytes`, again);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(at.bootFlag, true) !== bootFlag) {
    throw invalid('the bzImage has no boot flag (0xAA55 at 0x1FE): it is damaged', again);
  }
  const version = view.getUint16(at.version, true);
  if (version < leastVersion) {
    throw invalid(
      `the kernel speaks boot protocol ${versionName(version)}, and the 64-bit entry came with ${versionName(leastVersion)}`,
      'use Linux 3.8 or later',
    );
  }
  if ((view.getUint16(at.xloadFlags, true) & XLF_KERNEL_64) === 0) {
    throw invalid(
      'the kernel has no 64-bit entry: it was built for 32-bit CPUs',
      'use a kernel for x86-64',
    );
  }
  if ((view.getUint8(at.loadFlags) & LOADED_HIGH) === 0) {
    throw invalid('the kernel is a zImage, which is loaded below 1 MiB', 'use a bzImage');
  }
  // The jump over the header is two bytes, the second of which says how far.
  const headerEnd = at.magic + view.getUint8(at.jump + 1);
  if (headerEnd < at.leastEnd || headerEnd > at.mostEnd) {
    throw invalid(
      `the header of the bzImage ends at 0x${headerEnd.toString(16)}, where none of its protocol does: it is damaged`,
      again,
    );
  }
  const payload = payloadOf(bytes, view, invalid);
  const loadAddress = view.getBigUint64(at.preferredAddress, true);
  if (loadAddress < places.highMemory || loadAddress % 4096n !== 0n) {
    throw invalid(
      `the kernel wants to be loaded at 0x${loadAddress.toString(16)}, which is not a page above 1 MiB: it is damaged`,
      again,
    );
  }
  const initSize = BigInt(view.getUint32(at.initSize, true));
  const payloadSize = BigInt(payload.length);
  return {
    header: bytes.subarray(headerAt, headerEnd),
    payload,
    loadAddress,
    initBytes: initSize > payloadSize ? initSize : payloadSize,
    lastInitrdAddress: BigInt(view.getUint32(at.initrdAddressMax, true)),
    mostOfCommandLine: view.getUint32(at.commandLineSize, true),
  };
}

/** What follows it, such as a signature for Secure Boot, is no part of the kernel. */
function payloadOf(
  bytes: Uint8Array,
  view: DataView,
  invalid: (message: string, hint: string) => Error,
): Uint8Array {
  // 0 stands for 4, for reasons of backwards compatibility.
  const setupSectors = view.getUint8(at.setupSectors) || 4;
  const start = (setupSectors + 1) * sectorBytes;
  const size = view.getUint32(at.sysSize, true) * paragraphBytes;
  // The size is rounded up, and the file need not be.
  const missing = start + size - bytes.length;
  if (missing >= paragraphBytes || size <= entryOffset) {
    throw invalid(
      size <= entryOffset
        ? 'the bzImage has no kernel behind its header: it is damaged'
        : `the bzImage is cut off: ${formatBytes(BigInt(missing))} of ${formatBytes(BigInt(start + size))} are missing`,
      'fetch or build the kernel again',
    );
  }
  return bytes.subarray(start, start + size);
}

/** From the start of the payload: boot.rst, "64-bit Boot Protocol". */
export const entryOffset = 0x200;

function versionName(version: number): string {
  return `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;
}

/** The 64-bit boot protocol of Linux: Documentation/arch/x86/boot.rst, "64-bit Boot Protocol". */

import { generalRegistersOf } from '../../abi/kvm/registers.ts';
import { bootInvalid } from './boot-error.ts';
import { entryOffset, headerAt, parseBzImage } from './bzimage.ts';
import { longMode, rflagsAtEntry } from './cpu-modes.ts';
import { endOf, lowRam, memoryMap } from './memory-map.ts';
import { placeCommandLine, placeInitrd, upToMib } from './parts.ts';
import { lastOfCommandLine, places } from './places.ts';
import type { BootRequest, BootState, GuestWrite } from './types.ts';

/** `struct boot_params` (arch/x86/include/uapi/asm/bootparam.h). */
const at = {
  rsdpAddress: 0x70,
  initrdAddressHigh: 0xc0,
  initrdSizeHigh: 0xc4,
  commandLineHigh: 0xc8,
  e820Entries: 0x1e8,
  loaderType: 0x210,
  initrdAddress: 0x218,
  initrdSize: 0x21c,
  commandLine: 0x228,
  e820Table: 0x2d0,
} as const;
const bootParamsBytes = 4096;
const e820EntryBytes = 20;
/** A boot loader without a number of its own. */
const otherLoader = 0xff;

export function bootLinux64(request: BootRequest): BootState {
  const { kernel, initrd, cmdline, memory } = request;
  const image = parseBzImage(kernel);
  const ram = lowRam(memory.value);
  // A kernel that may be loaded elsewhere moves itself up to this address where it is below, so there is no
  // other place to try: boot.rst, "runtime start address".
  const kernelEnd = image.loadAddress + image.initBytes;
  if (kernelEnd > endOf(ram)) {
    throw bootInvalid({
      place: kernel.place,
      message: `the kernel does not fit into the memory of the TD: it needs RAM up to ${upToMib(kernelEnd)}, and there is RAM up to ${upToMib(endOf(ram))}`,
      hint: `give the TD at least ${upToMib(kernelEnd)} of memory (${memory.place})`,
    });
  }
  const placedInitrd =
    initrd && placeInitrd(initrd, { ram, kernelEnd, lastAddress: image.lastInitrdAddress });
  const placedCommandLine = placeCommandLine(
    cmdline,
    Math.min(image.mostOfCommandLine, lastOfCommandLine),
  );
  const { sregs, writes } = longMode();
  return {
    protocol: 'linux64',
    writes: [
      ...writes,
      bootParams({ header: image.header, initrd: placedInitrd, memory: memory.value }),
      placedCommandLine,
      { gpa: image.loadAddress, bytes: image.payload },
      ...(placedInitrd ? [placedInitrd] : []),
    ],
    registers: {
      sregs,
      regs: generalRegistersOf({
        rip: image.loadAddress + BigInt(entryOffset),
        rsi: places.bootParams,
        rflags: rflagsAtEntry,
      }),
    },
  };
}

function bootParams({
  header,
  initrd,
  memory,
}: {
  readonly header: Uint8Array;
  readonly initrd: GuestWrite | undefined;
  readonly memory: BootRequest['memory']['value'];
}): GuestWrite {
  const bytes = new Uint8Array(bootParamsBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(header, headerAt);
  view.setUint8(at.loaderType, otherLoader);
  view.setBigUint64(at.rsdpAddress, places.acpi, true);
  setParts(view, places.commandLine, { low: at.commandLine, high: at.commandLineHigh });
  setParts(view, initrd?.gpa ?? 0n, { low: at.initrdAddress, high: at.initrdAddressHigh });
  setParts(view, BigInt(initrd?.bytes.length ?? 0), {
    low: at.initrdSize,
    high: at.initrdSizeHigh,
  });
  const map = memoryMap(memory);
  view.setUint8(at.e820Entries, map.length);
  map.forEach(({ gpa, sizeBytes, type }, index) => {
    const entry = at.e820Table + index * e820EntryBytes;
    view.setBigUint64(entry, gpa, true);
    view.setBigUint64(entry + 8, sizeBytes, true);
    view.setUint32(entry + 16, type, true);
  });
  return { gpa: places.bootParams, bytes };
}

function setParts(
  view: DataView,
  value: bigint,
  { low, high }: { readonly low: number; readonly high: number },
): void {
  view.setUint32(low, Number(value & 0xffff_ffffn), true);
  view.setUint32(high, Number(value >> 32n), true);
}

import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { bzImage, pvhImage } from './kernels.ts';
import { boot, endOfWrite, firmware, type RequestParts, readBack, viewAt } from './request.ts';

function refusal(parts: RequestParts): TdctlError {
  try {
    boot(parts);
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** The registers that are not 0. */
const set = (regs: object) =>
  Object.fromEntries(Object.entries(regs).filter(([, value]) => value !== 0n));
const ascii = (text: string) => Uint8Array.from(Buffer.from(text));
const textAt = (state: ReturnType<typeof boot>, gpa: bigint, length: number) =>
  Buffer.from(readBack(state, gpa, length)).toString();

const kernels = [
  ['a bzImage', bzImage()],
  ['a 64-bit ELF image', pvhImage()],
  ['a 32-bit ELF image', pvhImage({ bits: 32 })],
] as const;

describe.each(kernels)('the start of %s', (_, kernel) => {
  propertyTest.prop({
    memoryMib: fc.integer({ min: 32, max: 4096 }),
    initrd: fc.option(fc.uint8Array({ minLength: 1, maxLength: 20_000 }), { nil: undefined }),
    cmdline: fc.string({ unit: fc.constantFrom('a', ' ', '=', 'ü'), maxLength: 1000 }),
    vcpus: fc.integer({ min: 1, max: 600 }),
  })('writes into RAM alone, nothing twice', ({ memoryMib, initrd, cmdline, vcpus }) => {
    const lowBytes = BigInt(Math.min(memoryMib, 2048)) << 20n;
    const memory = [{ holds: 'ram', gpa: 0n, sizeBytes: lowBytes } as const, firmware];
    const counts = { started: vcpus, created: vcpus };
    const { writes } = boot({ kernel, initrd, cmdline, memory, vcpus: counts });
    const ascending = [...writes].sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
    ascending.forEach((write, index) => {
      const next = ascending[index + 1]?.gpa ?? lowBytes;
      expect(endOfWrite(write)).toBeLessThanOrEqual(next);
    });
  });

  test('takes an initrd that fills the RAM, and none of a page more', () => {
    const fits = (pages: number) =>
      boot({ kernel, initrd: new Uint8Array(pages * 4096).fill(1), memoryMib: 32 });
    const { writes } = fits(1);
    const initrdAt = writes.find(({ bytes }) => bytes[0] === 1 && bytes.length === 4096)?.gpa ?? 0n;
    expect(initrdAt).toBe((32n << 20n) - 4096n);
    const error = refusal({ kernel, initrd: new Uint8Array(32 << 20), memoryMib: 32 });
    expect(error).toMatchObject({ code: 'TDCTL_E_BOOT_INVALID', exitCode: 5, place: 'initrd.img' });
    const needed = Number(/at least (\d+)MiB/.exec(error.hint ?? '')?.[1]);
    const large = new Uint8Array(32 << 20);
    expect(() => boot({ kernel, initrd: large, memoryMib: needed })).not.toThrow();
    expect(() => boot({ kernel, initrd: large, memoryMib: needed - 1 })).toThrow('there is room');
  });

  propertyTest.prop({
    edits: fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { maxLength: 12 }),
    cut: fc.option(fc.nat(1500), { nil: undefined }),
  })('is refused in words, or writes into RAM alone, whatever the image', ({ edits, cut }) => {
    const bytes = kernel.slice(0, cut);
    for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
    try {
      for (const write of boot({ kernel: bytes, initrd: ascii('initrd') }).writes) {
        expect(write.gpa).toBeGreaterThan(0n);
        expect(endOfWrite(write)).toBeLessThanOrEqual(64n << 20n);
      }
    } catch (error) {
      if (!(error instanceof TdctlError)) throw error;
      expect(error.code).toBe('TDCTL_E_BOOT_INVALID');
      expect(error.hint).toBeTruthy();
      expect(error.place).toBeTruthy();
    }
  });

  test('does not fit into too little memory: what it needs is told, and suffices', () => {
    const { place, hint = '' } = refusal({ kernel, memoryMib: 1 });
    expect(place).toBe('vmlinuz');
    const needed = Number(/at least (\d+)MiB/.exec(hint)?.[1]);
    expect(() => boot({ kernel, memoryMib: needed })).not.toThrow();
    expect(() => boot({ kernel, memoryMib: needed - 1 })).toThrow('does not fit');
  });
});

test('the firmware below 4 GiB and the hole before it are no RAM to the kernel', () => {
  const memory = [
    { holds: 'ram', gpa: 0n, sizeBytes: 2n << 30n },
    { holds: 'ram', gpa: 4n << 30n, sizeBytes: 1n << 30n },
    { holds: 'ram', gpa: 5n << 30n, sizeBytes: 1n << 30n },
    firmware,
  ] as const;
  const expected = [
    [0n, 0x9_fc00n, 1],
    [0x9_fc00n, 0x6_0400n, 2],
    [0x10_0000n, 0x7ff0_0000n, 1],
    [firmware.gpa, firmware.sizeBytes, 2],
    // Two slots of the VM, one range to the kernel.
    [4n << 30n, 2n << 30n, 1],
  ];
  const linux = boot({ kernel: bzImage(), memory });
  const params = linux.registers.regs.rsi;
  const entries = viewAt(linux, params, 4096);
  expect(entries.getUint8(0x1e8)).toBe(expected.length);
  const e820 = expected.map((_, index) => {
    const at = 0x2d0 + 20 * index;
    return [
      entries.getBigUint64(at, true),
      entries.getBigUint64(at + 8, true),
      entries.getUint32(at + 16, true),
    ];
  });
  expect(e820).toEqual(expected);

  const pvh = boot({ kernel: pvhImage(), memory });
  const info = viewAt(pvh, pvh.registers.regs.rbx, 56);
  expect(info.getUint32(0, true)).toBe(0x336ec578);
  const count = info.getUint32(48, true);
  const map = viewAt(pvh, info.getBigUint64(40, true), 24 * count);
  const ranges = Array.from({ length: count }, (_, index) => [
    map.getBigUint64(24 * index, true),
    map.getBigUint64(24 * index + 8, true),
    map.getUint32(24 * index + 16, true),
  ]);
  expect(ranges).toEqual(expected);
});

describe('a bzImage', () => {
  test('is entered in long mode at its 64-bit entry, with boot_params in RSI', () => {
    const state = boot({ kernel: bzImage(), initrd: ascii('initrd'), cmdline: 'quiet' });
    const { regs, sregs } = state.registers;
    expect(set(regs)).toEqual({ rip: 0x100_0200n, rsi: 0x7000n, rflags: 2n });
    expect(sregs.cs).toMatchObject({ selector: 0x10, l: 1, db: 0, base: 0n, limit: 0xffff_ffff });
    for (const name of ['ds', 'es', 'ss'] as const) expect(sregs[name]?.selector).toBe(0x18);
    const view = viewAt(state, 0x7000n, 4096);
    expect(view.getUint8(0x210)).toBe(0xff);
    expect(textAt(state, BigInt(view.getUint32(0x228, true)), 6)).toBe('quiet\0');
    expect(textAt(state, BigInt(view.getUint32(0x218, true)), 6)).toBe('initrd');
    expect(view.getUint32(0x21c, true)).toBe(6);
    // The header is that of the file, and nothing before it is.
    expect(readBack(state, 0x7200n, 8)).toEqual(bzImage().slice(0x200, 0x208));
    expect(view.getUint8(0x1ef)).toBe(0);
  });

  test('sees the first 4 GiB where they are', () => {
    const state = boot({ kernel: bzImage() });
    const entryOf = (table: bigint, index: bigint) =>
      viewAt(state, table + 8n * index, 8).getBigUint64(0, true);
    const address = (entry: bigint) => entry & 0xf_ffff_ffff_f000n;
    for (const virtual of [0n, 0x100_0200n, 0x7fff_ffffn, 0xffff_ffffn]) {
      const level3 = address(entryOf(state.registers.sregs.cr3 ?? 0n, virtual >> 39n));
      const level2 = address(entryOf(level3, virtual >> 30n));
      const page = entryOf(level2, (virtual >> 21n) & 511n);
      expect(page & 0x83n).toBe(0x83n);
      expect(address(page) | (virtual & 0x1f_ffffn)).toBe(virtual);
    }
  });

  test('may have a signature behind it, and up to 15 bytes less than its size in paragraphs', () => {
    const image = bzImage();
    const signed = Uint8Array.of(...image, ...ascii('signature'));
    expect(boot({ kernel: signed })).toEqual(boot({ kernel: image }));
    expect(() => boot({ kernel: image.slice(0, -15) })).not.toThrow();
    expect(refusal({ kernel: image.slice(0, -16) }).message).toContain('cut off');
  });

  test('whose initrd must lie low has it there, or is refused', () => {
    const kernel = bzImage({ initrdAddressMax: 0x1ff_ffff });
    const { writes } = boot({ kernel, initrd: new Uint8Array(8192).fill(1) });
    expect(writes.at(-1)?.gpa).toBe((32n << 20n) - 8192n);
    const error = refusal({ kernel, initrd: new Uint8Array(16 << 20) });
    expect(error.message).toContain('the kernel takes none beyond');
    expect(error.hint).toBe('make a smaller initrd');
  });

  test.each([
    ['another boot flag', { bootFlag: 0 }, 'no boot flag'],
    [
      'an old protocol',
      { version: 0x20b },
      'boot protocol 2.11, and the 64-bit entry came with 2.12',
    ],
    ['no 64-bit entry', { xloadFlags: 0 }, 'built for 32-bit CPUs'],
    ['a place below 1 MiB', { loadFlags: 0 }, 'zImage'],
    ['a header that is too short', { jump: 0x40 }, 'header of the bzImage ends at 0x242'],
    ['a header that is too long', { jump: 0xff }, 'header of the bzImage ends at 0x301'],
    ['a load address of 0', { preferredAddress: 0n }, 'wants to be loaded at 0x0'],
    ['nothing behind its header', { code: new Uint8Array() }, 'no kernel behind its header'],
  ])('with %s is refused', (_, fields, words) => {
    const error = refusal({ kernel: bzImage(fields) });
    expect(error).toMatchObject({ code: 'TDCTL_E_BOOT_INVALID', place: 'vmlinuz' });
    expect(error.message).toContain(words);
  });
});

describe('an ELF image', () => {
  test('is entered in protected mode at its note, with start_info in EBX', () => {
    const state = boot({ kernel: pvhImage(), initrd: ascii('initrd'), cmdline: 'quiet' });
    const { regs, sregs } = state.registers;
    expect(set(regs)).toEqual({ rip: 0x20_0000n, rbx: 0x8000n, rflags: 2n });
    expect(sregs).toMatchObject({ cr0: 0x11n, cr4: 0n, efer: 0n });
    expect(sregs.cs).toMatchObject({ l: 0, db: 1, base: 0n, limit: 0xffff_ffff });
    const info = viewAt(state, 0x8000n, 56);
    expect(textAt(state, info.getBigUint64(24, true), 6)).toBe('quiet\0');
    const module = viewAt(state, info.getBigUint64(16, true), 32);
    expect(textAt(state, module.getBigUint64(0, true), 6)).toBe('initrd');
    expect(module.getBigUint64(8, true)).toBe(6n);
    expect(textAt(state, info.getBigUint64(32, true), 8)).toBe('RSD PTR ');
  });

  test('has zeros where its file has nothing', () => {
    const { writes } = boot({ kernel: pvhImage({ memoryBytes: (3n << 20n) + 5n }) });
    const ofKernel = writes.filter(({ gpa }) => gpa >= 0x20_0000n);
    const end = ofKernel.map(endOfWrite).reduce((a, b) => (a > b ? a : b));
    expect(end).toBe(0x20_0000n + (3n << 20n) + 5n);
    const covered = ofKernel.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(covered).toBe((3 << 20) + 5);
    expect(ofKernel.slice(1).every(({ bytes }) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test.each([
    ['another CPU', { machine: 183 }, 'for another CPU'],
    ['no note of Xen', { noteName: 'GNU' }, 'says no PVH entry'],
    ['an entry of two bytes', { noteBytes: 2 }, 'has 2 bytes'],
    ['an entry outside', { entry: 0x30_0000n }, '0x300000, lies in no segment'],
    ['a segment below 1 MiB', { address: 0x9000n }, 'below 1 MiB'],
    ['segments over each other', { secondAddress: 0x20_0010n }, 'both lie at 0x200010'],
    ['less memory than file', { memoryBytes: 1n }, 'larger in the file than in memory'],
  ])('with %s is refused', (_, fields, words) => {
    const error = refusal({ kernel: pvhImage(fields) });
    expect(error).toMatchObject({ code: 'TDCTL_E_BOOT_INVALID', place: 'vmlinuz' });
    expect(error.message).toContain(words);
  });
});

describe('what is no kernel', () => {
  test.each([
    ['gzip', [0x1f, 0x8b, 8], 'packed by gzip'],
    ['an EFI program', [0x4d, 0x5a, 0, 0], 'an EFI program'],
    ['an initrd', [...ascii('070701')], 'an archive of cpio'],
    ['nothing', [], 'neither a bzImage'],
  ])('is told as what it is: %s', (_, bytes, words) => {
    expect(refusal({ kernel: Uint8Array.from(bytes) }).message).toContain(words);
  });

  propertyTest.prop({ kernel: fc.uint8Array({ maxLength: 3000 }) })(
    'is refused in words, whatever it is',
    ({ kernel }) => {
      expect(refusal({ kernel }).code).toBe('TDCTL_E_BOOT_INVALID');
    },
  );
});

describe('a command line', () => {
  test('is as long as the kernel takes, and not longer', () => {
    const kernel = bzImage({ commandLineSize: 16 });
    expect(() => boot({ kernel, cmdline: 'x'.repeat(16) })).not.toThrow();
    const error = refusal({ kernel, cmdline: 'ü'.repeat(9) });
    expect(error).toMatchObject({ place: 'td.yaml:9:5' });
    expect(error.message).toContain('has 18 bytes, and this kernel takes 16');
  });

  test('has no NUL', () => {
    expect(refusal({ kernel: bzImage(), cmdline: 'a\0b' }).message).toContain('NUL');
  });
});

test('an initrd that is empty is refused', () => {
  expect(refusal({ kernel: bzImage(), initrd: new Uint8Array() })).toMatchObject({
    place: 'initrd.img',
    message: 'the initrd is empty',
  });
});

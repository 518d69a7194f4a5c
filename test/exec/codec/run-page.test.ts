import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exitReasons } from '../../../src/abi/kvm/exits.ts';
import { RunPageInMemory, runPageBytes } from '../../../src/exec/codec/run-page.ts';
import type { VcpuExit } from '../../../src/simulator/index.ts';
import { evaluated, preprocessed } from './kvm-header.ts';

const exits: { readonly exit: VcpuExit; readonly bytes: readonly [number, number, bigint][] }[] = [
  { exit: { reason: 'KVM_EXIT_INTR' }, bytes: [[8, 4, 10n]] },
  { exit: { reason: 'KVM_EXIT_SHUTDOWN' }, bytes: [[8, 4, 8n]] },
  {
    exit: { reason: 'KVM_EXIT_IO', direction: 'out', port: 0x3f8, sizeBytes: 2, data: 0x4142n },
    bytes: [
      [8, 4, 2n],
      [32, 1, 1n],
      [33, 1, 2n],
      [34, 2, 0x3f8n],
      [36, 4, 1n],
      [40, 8, 4096n],
      [4096, 2, 0x4142n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_IO', direction: 'in', port: 0x3fd, sizeBytes: 1, data: 0n },
    bytes: [
      [8, 4, 2n],
      [32, 1, 0n],
      [33, 1, 1n],
      [34, 2, 0x3fdn],
      [36, 4, 1n],
      [40, 8, 4096n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_HYPERCALL', nr: 12, args: [0x8000n, 4n, 0x10n], flags: 1n },
    bytes: [
      [8, 4, 3n],
      [32, 8, 12n],
      [40, 8, 0x8000n],
      [48, 8, 4n],
      [56, 8, 0x10n],
      [64, 8, 0n],
      [88, 8, 0n],
      [96, 8, 1n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_INTERNAL_ERROR', suberror: 4, data: [7n, 8n] },
    bytes: [
      [8, 4, 17n],
      [32, 4, 4n],
      [36, 4, 2n],
      [40, 8, 7n],
      [48, 8, 8n],
    ],
  },
  {
    exit: {
      reason: 'KVM_EXIT_MMIO',
      physAddr: 0xfee0_0000n,
      data: 0x1122_3344n,
      len: 4,
      isWrite: true,
    },
    bytes: [
      [8, 4, 6n],
      [32, 8, 0xfee0_0000n],
      [40, 8, 0x1122_3344n],
      [48, 4, 4n],
      [52, 1, 1n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_MMIO', physAddr: 0xfee0_0030n, data: 0n, len: 8, isWrite: false },
    bytes: [
      [8, 4, 6n],
      [32, 8, 0xfee0_0030n],
      // As it was.
      [40, 8, 0xa5a5_a5a5_a5a5_a5a5n],
      [48, 4, 8n],
      [52, 1, 0n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_INTERNAL_ERROR', suberror: 4 },
    bytes: [
      [8, 4, 17n],
      [32, 4, 4n],
      [36, 4, 0n],
    ],
  },
  {
    exit: {
      reason: 'KVM_EXIT_SYSTEM_EVENT',
      type: 7,
      data: Array.from({ length: 16 }, (_, index) => BigInt(index) << 32n),
    },
    bytes: [
      [8, 4, 24n],
      [32, 4, 7n],
      [36, 4, 16n],
      [40, 8, 0n],
      [160, 8, 15n << 32n],
    ],
  },
  {
    exit: {
      reason: 'KVM_EXIT_MEMORY_FAULT',
      errno: 'EFAULT',
      flags: 8n,
      gpa: 0x10_0000n,
      size: 0x1000n,
    },
    bytes: [
      [8, 4, 39n],
      [32, 8, 8n],
      [40, 8, 0x10_0000n],
      [48, 8, 0x1000n],
    ],
  },
  {
    exit: {
      reason: 'KVM_EXIT_TDX',
      nr: 0x10002,
      ret: 0x8000_0000_0000_0003n,
      data: [0x7000n, 0x2000n],
    },
    bytes: [
      [8, 4, 40n],
      [32, 8, 0n],
      [40, 8, 0x10002n],
      [48, 8, 0x8000_0000_0000_0003n],
      [56, 8, 0x7000n],
      [64, 8, 0x2000n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_TDX', nr: 0x10004, data: [32n] },
    bytes: [
      [48, 8, 0n],
      [56, 8, 32n],
    ],
  },
  {
    exit: { reason: 'KVM_EXIT_TDX', nr: 0x10000, data: [1n] },
    bytes: [
      [40, 8, 0x10000n],
      [48, 8, 0n],
      [56, 8, 1n],
      [64, 8, 0n],
      [88, 8, 0n],
    ],
  },
];

function at(page: Uint8Array, offset: number, bytes: number): bigint {
  return page
    .subarray(offset, offset + bytes)
    .reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

test('the head is written where struct kvm_run has it, and only what is given of it', () => {
  const bytes = used();
  const page = new RunPageInMemory(bytes);
  page.writeHead({ flags: 0 });
  expect([at(bytes, 14, 2), at(bytes, 12, 2), at(bytes, 16, 8)]).toEqual([
    0n,
    0xa5a5n,
    0xa5a5_a5a5_a5a5_a5a5n,
  ]);
  page.writeHead({
    flags: 1,
    ifFlag: true,
    readyForInterruptInjection: false,
    cr8: 3n,
    apicBase: 0xfee0_0d00n,
    dirtyRegs: 4n,
  });
  const found = ([12, 13, 14, 16, 24, 296] as const).map((offset, i) =>
    at(bytes, offset, [1, 1, 2, 8, 8, 8][i] ?? 0),
  );
  expect(found).toEqual([0n, 1n, 1n, 3n, 0xfee0_0d00n, 4n]);
  expect(bytes.subarray(0, 12).every((byte) => byte === 0xa5)).toBe(true);
});

test('the synchronised registers begin behind the head', () => {
  const bytes = new Uint8Array(runPageBytes);
  const { registers } = new RunPageInMemory(bytes);
  registers.write(Uint8Array.of(1, 2), 456);
  expect([...bytes.subarray(304 + 456, 304 + 458)]).toEqual([1, 2]);
  expect(registers.read(2, 456)).toEqual(Uint8Array.of(1, 2));
});

/** Full of what an exit must not rely on. */
const used = () => new Uint8Array(runPageBytes).fill(0xa5);

describe('an exit is written where struct kvm_run has it', () => {
  test.each(exits)('$exit.reason $exit.direction$exit.nr', ({ exit, bytes }) => {
    const page = used();
    new RunPageInMemory(page).writeExit(exit);
    const found = bytes.map(([offset, length]) => [offset, length, at(page, offset, length)]);
    expect(found).toEqual(bytes);
  });

  test.each(exits)('and nothing else changes: $exit.reason $exit.direction$exit.nr', ({ exit }) => {
    const page = used();
    new RunPageInMemory(page).writeExit(exit);
    const untouched = [
      ...page.subarray(0, 8),
      ...page.subarray(12, 32),
      ...page.subarray(288, 4096),
    ];
    expect(untouched.every((byte) => byte === 0xa5)).toBe(true);
    expect(page.subarray(4104).every((byte) => byte === 0xa5)).toBe(true);
  });
});

describe('what KVM_RUN reads', () => {
  test('immediate_exit, kvm_valid_regs, kvm_dirty_regs and cr8', () => {
    const bytes = new Uint8Array(runPageBytes);
    const page = new RunPageInMemory(bytes);
    const none = { immediateExit: false, validRegs: 0n, dirtyRegs: 0n, cr8: 0n, result: 0n };
    expect(page.read()).toEqual(none);
    bytes[1] = 2;
    bytes[16] = 9;
    bytes[288] = 1;
    bytes[296 + 7] = 0x80;
    const asked = { validRegs: 1n, dirtyRegs: 1n << 63n, cr8: 9n };
    expect(page.read()).toEqual({ immediateExit: true, ...asked, result: 0n });
  });

  test.each([
    ['hypercall.ret', { reason: 'KVM_EXIT_HYPERCALL', nr: 12, args: [], flags: 1n }, 88, 8],
    ['tdx.get_quote.ret', { reason: 'KVM_EXIT_TDX', nr: 0x10002, data: [] }, 48, 8],
    [
      'the data of an IN',
      { reason: 'KVM_EXIT_IO', direction: 'in', port: 1, sizeBytes: 4, data: 0n },
      4096,
      4,
    ],
    [
      'the data of an MMIO read, all 8 bytes',
      { reason: 'KVM_EXIT_MMIO', physAddr: 1n, data: 0n, len: 8, isWrite: false },
      40,
      8,
    ],
    [
      'the data of an MMIO read, only 4 bytes',
      { reason: 'KVM_EXIT_MMIO', physAddr: 1n, data: 0n, len: 4, isWrite: false },
      40,
      4,
    ],
  ] satisfies [string, VcpuExit, number, number][])('%s', (_name, exit, offset, length) => {
    const bytes = used();
    const page = new RunPageInMemory(bytes);
    page.writeExit(exit);
    bytes.set([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88], offset);
    expect(page.read().result).toBe(length === 8 ? 0x8877_6655_4433_2211n : 0x4433_2211n);
  });

  test('nothing where the exit before asked for nothing', () => {
    const bytes = used();
    const page = new RunPageInMemory(bytes);
    for (const { exit } of exits) {
      const asks = exit.reason === 'KVM_EXIT_TDX' || exit.reason === 'KVM_EXIT_HYPERCALL';
      if (asks || (exit.reason === 'KVM_EXIT_IO' && exit.direction === 'in')) continue;
      if (exit.reason === 'KVM_EXIT_MMIO' && !exit.isWrite) continue;
      page.writeExit(exit);
      expect(page.read().result).toBe(0n);
    }
  });

  test('of GetTdVmCallInfo, r11 to r14 too', () => {
    const bytes = used();
    const page = new RunPageInMemory(bytes);
    page.writeExit({ reason: 'KVM_EXIT_TDX', nr: 0x10000, data: [1n, 0n, 0n, 0n, 0n] });
    expect(page.read()).toMatchObject({ result: 0n, tdVmCallInfo: [0n, 0n, 0n, 0n] });
    for (const [index, offset] of [64, 72, 80, 88].entries()) bytes[offset] = index + 1;
    expect(page.read().tdVmCallInfo).toEqual([1n, 2n, 3n, 4n]);
    page.writeExit({ reason: 'KVM_EXIT_TDX', nr: 0x10002, data: [1n, 2n] });
    expect(page.read().tdVmCallInfo).toBeUndefined();
  });

  test('until user space answers, what KVM has preset', () => {
    const page = new RunPageInMemory(used());
    const ret = 0x8000_0000_0000_0003n;
    page.writeExit({ reason: 'KVM_EXIT_TDX', nr: 0x10002, ret, data: [0n, 0n] });
    expect(page.read().result).toBe(0x8000_0000_0000_0003n);
    page.writeExit({ reason: 'KVM_EXIT_HYPERCALL', nr: 12, args: [], flags: 1n });
    expect(page.read().result).toBe(0n);
  });

  test('any bytes at all', () => {
    const anyHead = fc.uint8Array({ minLength: 304, maxLength: 304 });
    fc.assert(
      fc.property(anyHead, fc.constantFrom(0, 2, 3, 6, 40), (head, exitReason) => {
        const bytes = used();
        bytes.set(head);
        bytes[8] = exitReason;
        const { result } = new RunPageInMemory(bytes).read();
        expect(result >= 0n && result < 1n << 64n).toBe(true);
      }),
    );
  });
});

test('the places that these tests know are those of <linux/kvm.h>', (context) => {
  if (preprocessed() === undefined) context.skip('there is no C compiler with <linux/kvm.h>');
  const places = {
    immediate_exit: 1,
    exit_reason: 8,
    'io.direction': 32,
    'io.size': 33,
    'io.port': 34,
    'io.count': 36,
    'io.data_offset': 40,
    'mmio.phys_addr': 32,
    'mmio.data': 40,
    'mmio.len': 48,
    'mmio.is_write': 52,
    'hypercall.nr': 32,
    'hypercall.args': 40,
    'hypercall.ret': 88,
    // `flags` in newer headers.
    'hypercall.longmode': 96,
    'internal.suberror': 32,
    'internal.ndata': 36,
    'internal.data': 40,
    'system_event.type': 32,
    'system_event.ndata': 36,
    'system_event.data': 40,
    kvm_valid_regs: 288,
    kvm_dirty_regs: 296,
  };
  const expressions = Object.keys(places).map((field) => `offsetof(struct kvm_run, ${field})`);
  const reasons = Object.entries(exitReasons).filter(([, number]) => number < 30);
  expect(evaluated([...expressions, ...reasons.map(([name]) => name)])).toEqual([
    ...Object.values(places),
    ...reasons.map(([, number]) => number),
  ]);
});

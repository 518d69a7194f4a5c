/** What exits mean that are no port: answered by JavaScript, or the end of the guest. */
import { describe, expect, test } from 'vitest';
import type { GuestAnswer, GuestExit } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { completes, exits, powerOff, runsOn, scriptedGuest } from './guest-support.ts';
import { concat, u32, u64, zeros } from './support.ts';

const EIO = 5;
const EFAULT = 14;
const run = ioctlNumbers.KVM_RUN;

describe('an exit for JavaScript', () => {
  type Case = readonly [
    what: string,
    answer: Parameters<typeof exits>,
    exit: GuestExit,
    reply: GuestAnswer,
    where: number,
    bytes: Uint8Array,
  ];
  const cases: readonly Case[] = [
    [
      'a read of MMIO',
      ['KVM_EXIT_MMIO', concat(u64(0xd000_0000n), zeros(8), u32(2, 0))],
      { kind: 'mmio', gpa: 0xd000_0000n, sizeBytes: 2 },
      { data: Uint8Array.of(0x34, 0x12) },
      40,
      Uint8Array.of(0x34, 0x12),
    ],
    [
      'a write of MMIO',
      ['KVM_EXIT_MMIO', concat(u64(0xd000_0004n), u64(0xddccbbaan), u32(4, 1))],
      {
        kind: 'mmio',
        gpa: 0xd000_0004n,
        sizeBytes: 4,
        data: Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd),
      },
      {},
      40,
      u64(0xddccbbaan),
    ],
    [
      'KVM_HC_MAP_GPA_RANGE',
      ['KVM_EXIT_HYPERCALL', u64(12n, 0x10_0000n, 512n, 0x10n, 0n, 0n, 0n)],
      { kind: 'hypercall', nr: 12n, args: [0x10_0000n, 512n, 0x10n, 0n, 0n, 0n] },
      { ret: 0n },
      88,
      u64(0n),
    ],
    [
      'GetQuote',
      ['KVM_EXIT_TDX', u64(0n, 0x10002n, 0x8000_0000_0000_0003n, 0x7000n, 0x1000n)],
      {
        kind: 'tdx',
        nr: 0x10002n,
        ret: 0x8000_0000_0000_0003n,
        gpa: 0x7000n,
        size: 0x1000n,
      },
      { ret: 0n },
      48,
      u64(0n, 0x7000n, 0x1000n),
    ],
    [
      'GetTdVmCallInfo',
      ['KVM_EXIT_TDX', u64(0n, 0x10000n, 0n, 1n, 0n, 0n, 0n, 0n)],
      { kind: 'tdx', nr: 0x10000n, ret: 0n, leaf: 1n, r11: 0n, r12: 0n, r13: 0n, r14: 0n },
      { r11: 2n, r12: 1n },
      48,
      u64(0n, 1n, 2n, 1n, 0n, 0n),
    ],
    [
      'SetupEventNotifyInterrupt',
      ['KVM_EXIT_TDX', u64(0n, 0x10004n, 3n, 0x40n)],
      { kind: 'tdx', nr: 0x10004n, ret: 3n, vector: 0x40n },
      { ret: 0n },
      48,
      u64(0n, 0x40n),
    ],
    [
      'a TDVMCALL that is not known',
      ['KVM_EXIT_TDX', u64(0n, 0x1ffffn, 3n, 1n, 2n)],
      { kind: 'tdx', nr: 0x1ffffn, ret: 3n, data0: 1n, data1: 2n, data2: 0n, data3: 0n, data4: 0n },
      { ret: 9n, data4: 5n },
      48,
      u64(9n, 1n, 2n, 0n, 0n, 5n),
    ],
  ];
  for (const how of ['returned', 'promised'] as const) {
    test.for(cases)(`%s is answered with what is ${how}`, async (row, context) => {
      const [, answer, exit, reply, where, bytes] = row;
      const seen: unknown[] = [];
      const { guest, ended, calls } = await scriptedGuest(
        context,
        [exits(...answer), powerOff, completes],
        {
          handlers: {
            exit: (...values) => {
              seen.push(values);
              return how === 'returned'
                ? reply
                : new Promise((resolve) => setImmediate(resolve, reply));
            },
          },
        },
      );
      guest.run();
      expect((await ended).kind).toBe('power-off');
      expect(seen).toEqual([[0, exit]]);
      expect(calls.calls()[1]?.argument.slice(where, where + bytes.length)).toEqual(bytes);
      expect(guest.counts().handedOn).toBe(1);
    });
  }

  const fault = (memory = u64(8n, 0x20_0000n, 0x1000n)) => ({
    ...exits('KVM_EXIT_MEMORY_FAULT', memory),
    errno: EFAULT,
  });
  const faultSeen = {
    kind: 'memory-fault',
    flags: 8n,
    gpa: 0x20_0000n,
    sizeBytes: 0x1000n,
  } as const;

  test('a memory fault that was mended is tried again', async (context) => {
    const seen: GuestExit[] = [];
    const { guest, ended, calls } = await scriptedGuest(context, [fault(), powerOff, completes], {
      handlers: {
        exit: (_, exit) => {
          seen.push(exit);
          return { retry: true };
        },
      },
    });
    guest.run();
    expect((await ended).kind).toBe('power-off');
    expect(seen).toEqual([faultSeen]);
    expect(calls.calls()).toHaveLength(3);
  });

  test('a memory fault that nobody mends ends the guest', async (context) => {
    const { guest, ended } = await scriptedGuest(context, [fault(), completes]);
    guest.run();
    expect(await ended).toEqual({ vcpu: 0, ...faultSeen });
  });

  const mmioRead = exits('KVM_EXIT_MMIO', concat(u64(0xd000_0000n), zeros(8), u32(4, 0)));
  const oops = new Error('oops');
  const failing = [
    ['that throws', () => Promise.reject(oops), oops],
    [
      'whose promise rejects',
      () => {
        throw oops;
      },
      oops,
    ],
    [
      'with too few bytes',
      () => ({ data: zeros(3) }),
      new RangeError('`data` must have 4 bytes, not 3'),
    ],
    [
      'whose answer is no object',
      () => 'four' as never,
      new TypeError('`answer` must be an object'),
    ],
    [
      'whose answer throws',
      () => ({
        get data(): Uint8Array {
          throw oops;
        },
      }),
      oops,
    ],
  ] as const;
  test.for(failing)(
    'of a handler %s is that of an absent device, and told',
    async (row, context) => {
      const [, exit, error] = row;
      const { guest, ended, seen, calls } = await scriptedGuest(
        context,
        [mmioRead, powerOff, completes],
        { handlers: { exit } },
      );
      guest.run();
      expect((await ended).kind).toBe('power-off');
      expect(calls.calls()[1]?.argument.slice(40, 44)).toEqual(
        Uint8Array.of(0xff, 0xff, 0xff, 0xff),
      );
      expect(seen.failures).toEqual([error]);
      expect(guest.counts().handlerErrors).toBe(1);
    },
  );

  test('a hypercall that nobody answers is unknown to the guest', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(context, [
      exits('KVM_EXIT_HYPERCALL', u64(12n)),
      powerOff,
      completes,
    ]);
    guest.run();
    await ended;
    expect(calls.calls()[1]?.argument.slice(88, 96)).toEqual(u64(2n ** 64n - 1000n));
  });
});

describe('a guest ends by', () => {
  const ends = [
    ['a triple fault', exits('KVM_EXIT_SHUTDOWN'), { kind: 'shutdown' }],
    [
      'an entry that fails',
      exits('KVM_EXIT_FAIL_ENTRY', concat(u64(0x8000_0021n), u32(3))),
      { kind: 'fail-entry', reason: 0x8000_0021n, cpu: 3 },
    ],
    [
      'an internal error',
      exits('KVM_EXIT_INTERNAL_ERROR', concat(u32(1, 2), u64(7n, 8n, 9n))),
      { kind: 'internal-error', suberror: 1, data: [7n, 8n] },
    ],
    [
      'a system event',
      exits('KVM_EXIT_SYSTEM_EVENT', concat(u32(7, 1), u64(5n))),
      { kind: 'system-event', type: 7, data: [5n] },
    ],
    ['an exit that is not known', exits('KVM_EXIT_DEBUG'), { kind: 'unknown-exit', exitReason: 4 }],
  ] as const;
  test.for(ends)('%s', async ([, exit, end], context) => {
    const { guest, ended, calls } = await scriptedGuest(context, [exit, completes]);
    guest.run();
    expect(await ended).toEqual({ vcpu: 0, ...end });
    expect(calls.calls()).toHaveLength(2);
  });

  test('a KVM_RUN that fails, once', async (context) => {
    const { guest, ended, seen, calls } = await scriptedGuest(context, [
      { request: run, errno: EIO },
    ]);
    guest.run();
    expect(await ended).toEqual({ kind: 'run-failed', vcpu: 0, errno: EIO, code: 'EIO' });
    await guest.pause();
    expect(seen.ends).toHaveLength(1);
    expect(calls.calls()).toHaveLength(1);
  });

  test('one vCPU, and the others are parked before it is told', async (context) => {
    // Whichever of the two comes first ends the guest, and the other is interrupted.
    const { guest, vcpus, ended, script } = await scriptedGuest(
      context,
      [runsOn, powerOff, completes],
      {
        vcpuCount: 2,
      },
    );
    guest.run();
    expect((await ended).kind).toBe('power-off');
    script({ request: ioctlNumbers.KVM_GET_REGS }, { request: ioctlNumbers.KVM_GET_REGS });
    await Promise.all(vcpus.map((vcpu) => vcpu.kvmGetRegs()));
  });
});

/** What a guest's exits mean to the addon, played by a script in place of the kernel. */
import { describe, expect, test } from 'vitest';
import type { GuestAnswer, GuestExit } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  completes,
  exits,
  portData,
  readsPort,
  runsOn,
  scriptedGuest,
  writesPort,
} from './guest-support.ts';
import { concat, rejection, u32, u64, zeros } from './support.ts';

const EIO = 5;
const EFAULT = 14;
const run = ioctlNumbers.KVM_RUN;
const ascii = (text: string) => [...Buffer.from(text)];
const powerOff = writesPort(0x604, [0x00, 0x20], 2);

describe('a port', () => {
  test('COM1 is the console, also by a string of bytes', async (context) => {
    const { guest, seen, ended } = await scriptedGuest(context, [
      writesPort(0x3f8, ascii('H')),
      writesPort(0x3f8, ascii('ello')),
      powerOff,
      completes,
    ]);
    guest.run();
    expect(await ended).toEqual({ kind: 'power-off', vcpu: 0 });
    expect(seen.console).toEqual(ascii('Hello'));
    expect(guest.counts()).toEqual({
      exits: 3,
      handedOn: 0,
      handlerErrors: 0,
      lostConsoleBytes: 0,
    });
  });

  test('0x402 is the debug console, and says that it is there', async (context) => {
    const { guest, seen, ended, calls } = await scriptedGuest(context, [
      readsPort(0x402),
      writesPort(0x402, ascii('log')),
      powerOff,
      completes,
    ]);
    guest.run();
    await ended;
    expect(portData(calls, 1)).toEqual([0xe9]);
    expect(seen.debugConsole).toEqual(ascii('log'));
    expect(seen.console).toEqual([]);
  });

  test('without a device is read as all ones, of every size, and takes what is written', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(context, [
      readsPort(0x80),
      readsPort(0x81, 1, 2),
      readsPort(0x82, 1, 4),
      readsPort(0x64, 3),
      writesPort(0x80, [1]),
      powerOff,
      completes,
    ]);
    guest.run();
    await ended;
    expect(portData(calls, 1, 2)).toEqual([0xff, 0]);
    expect(portData(calls, 2, 4)).toEqual([0xff, 0xff, 0, 0]);
    expect(portData(calls, 3, 4)).toEqual([0xff, 0xff, 0xff, 0xff]);
    expect(portData(calls, 4, 3)).toEqual([0xff, 0xff, 0xff]);
  });

  const ends = [
    ['0x604 with SLP_EN', powerOff, { kind: 'power-off' }],
    ['0xcf9 with the reset bit', writesPort(0xcf9, [0x06]), { kind: 'reset' }],
    ['0x64 with 0xfe', writesPort(0x64, [0xfe]), { kind: 'reset' }],
    ['isa-debug-exit', writesPort(0xf4, [0x2a, 0, 0, 0], 4), { kind: 'debug-exit', value: 42 }],
  ] as const;
  test.for(ends)('%s ends the guest', async ([, write, end], context) => {
    const { guest, ended } = await scriptedGuest(context, [write, completes], {
      debugExitPort: 0xf4,
    });
    guest.run();
    expect(await ended).toEqual({ vcpu: 0, ...end });
    expect(() => guest.run()).toThrow('the guest has ended');
    await guest.pause();
  });

  test('like them, with other values, ends nothing', async (context) => {
    const { guest, seen, ended } = await scriptedGuest(context, [
      writesPort(0x604, [0x00, 0x00], 2),
      writesPort(0xcf9, [0x02]),
      readsPort(0xcf9),
      writesPort(0x64, [0xd1]),
      writesPort(0xf4, [0]),
      exits('KVM_EXIT_HLT'),
      completes,
    ]);
    guest.run();
    expect(await ended).toEqual({ kind: 'halted', vcpu: 0 });
    expect(seen.ends).toHaveLength(1);
  });
});

describe('COM1', () => {
  const lineStatus = readsPort(0x3fd);
  const data = readsPort(0x3f8);
  const identification = readsPort(0x3fa);
  const lines = (calls: readonly { request: number; argument: Uint8Array }[]) =>
    calls
      .filter(({ request }) => request === ioctlNumbers.KVM_IRQ_LINE)
      .map(({ argument }) => [...new Uint32Array(argument.slice().buffer)]);
  const irq = { request: ioctlNumbers.KVM_IRQ_LINE };

  test('gives input byte by byte, and says when there is some', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(context, [
      lineStatus,
      data,
      lineStatus,
      data,
      lineStatus,
      data,
      powerOff,
      completes,
    ]);
    expect(guest.input(Uint8Array.from(ascii('ok')))).toBe(2);
    guest.run();
    await ended;
    expect([1, 2, 3, 4, 5, 6].flatMap((at) => portData(calls, at))).toEqual([
      0x61,
      ...ascii('o'),
      0x61,
      ...ascii('k'),
      0x60,
      0,
    ]);
  });

  test('raises its line for input and lowers it once that is read', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(
      context,
      [irq, writesPort(0x3f9, [1]), identification, data, irq, identification, powerOff, completes]
        // Input waits before the guest enables the interrupt, which comes with that.
        .slice(1)
        .toSpliced(1, 0, irq),
      { interrupt: { line: 4 } },
    );
    guest.input(Uint8Array.of(7));
    guest.run();
    await ended;
    expect(lines(calls.calls())).toEqual([
      [4, 1],
      [4, 0],
    ]);
    expect([2, 4].flatMap((at) => portData(calls, at))).toEqual([0x04, 0x01]);
  });

  test('says once that the transmitter is empty, by a message where that is the way', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(
      context,
      [
        writesPort(0x3f9, [2]),
        { request: ioctlNumbers.KVM_SIGNAL_MSI },
        identification,
        identification,
        powerOff,
        completes,
      ],
      { interrupt: { msiAddress: 0xfee0_0000n, msiData: 0x34 } },
    );
    guest.run();
    await ended;
    expect([2, 3].flatMap((at) => portData(calls, at))).toEqual([0x02, 0x01]);
    const [message] = calls.calls().filter(({ request }) => request !== run);
    expect(message?.argument).toEqual(concat(u32(0xfee0_0000, 0, 0x34, 0), zeros(16)));
  });

  test('in loop-back mode hears itself, and the console hears nothing', async (context) => {
    const { guest, ended, calls, seen } = await scriptedGuest(context, [
      writesPort(0x3fc, [0x1a]),
      readsPort(0x3fe),
      writesPort(0x3f8, [0x55]),
      data,
      powerOff,
      completes,
    ]);
    guest.run();
    await ended;
    expect([2, 4].flatMap((at) => portData(calls, at))).toEqual([0x90, 0x55]);
    expect(seen.console).toEqual([]);
  });

  test('keeps what its registers are set to, and its divisor behind the latch', async (context) => {
    const { guest, ended, calls } = await scriptedGuest(context, [
      writesPort(0x3fb, [0x83]),
      writesPort(0x3f8, [0x0c]),
      readsPort(0x3f8),
      writesPort(0x3fb, [0x03]),
      readsPort(0x3fb),
      writesPort(0x3ff, [0xa5]),
      readsPort(0x3ff),
      powerOff,
      completes,
    ]);
    guest.run();
    await ended;
    expect([3, 5, 7].flatMap((at) => portData(calls, at))).toEqual([0x0c, 0x03, 0xa5]);
  });

  test('takes 64 KiB of input for a guest that does not read', async (context) => {
    const { guest } = await scriptedGuest(context, []);
    expect(guest.input(zeros(60 * 1024))).toBe(60 * 1024);
    expect(guest.input(zeros(60 * 1024))).toBe(4 * 1024);
    expect(guest.input(zeros(1))).toBe(0);
  });
});

describe('a console that nobody reads fast enough', () => {
  test('loses what is beyond its bound, counted and told', async (context) => {
    const { guest, seen, ended } = await scriptedGuest(
      context,
      [writesPort(0x3f8, ascii('0123456789')), powerOff, completes],
      { consoleBytes: 4 },
    );
    guest.run();
    await ended;
    expect(seen.console).toEqual(ascii('0123'));
    expect(seen.lostBytes).toBe(6);
    expect(guest.counts().lostConsoleBytes).toBe(6);
  });
});

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

describe('pause and stop', () => {
  const mmioWrite = exits('KVM_EXIT_MMIO', concat(u64(0n), zeros(8), u32(1, 1)));

  test('a pause completes the last exit before the vCPU is parked', async (context) => {
    const { promise, resolve } = withResolver();
    const { guest, calls } = await scriptedGuest(context, [mmioWrite, completes], {
      handlers: {
        // Asked for before the exit is answered.
        exit: () => {
          void guest.pause().then(resolve);
          return undefined;
        },
      },
    });
    guest.run();
    await promise;
    expect(calls.calls().map(({ argument }) => argument[1])).toEqual([0, 1]);
  });

  test('a pause waits for the handler that a vCPU waits for', async (context) => {
    const { promise, resolve } = withResolver();
    const { promise: answer, resolve: giveAnswer } = withResolver();
    const { guest } = await scriptedGuest(context, [mmioWrite, completes], {
      handlers: {
        exit: async () => {
          resolve();
          await answer;
          return undefined;
        },
      },
    });
    guest.run();
    await promise;
    let paused = false;
    const pause = guest.pause().then(() => {
      paused = true;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
    expect(paused).toBe(false);
    giveAnswer();
    await pause;
  });

  test('a stop does not wait for a handler, whose answer comes too late', async (context) => {
    const { promise, resolve } = withResolver();
    const { promise: answer, resolve: giveAnswer } = withResolver();
    const { guest, seen } = await scriptedGuest(context, [mmioWrite], {
      handlers: {
        exit: async () => {
          resolve();
          await answer;
          return { retry: true };
        },
      },
    });
    guest.run();
    await promise;
    const pause = rejection(guest.pause());
    guest.stop();
    giveAnswer();
    expect(await pause).toMatchObject({ code: 'ECANCELED', message: 'the guest is stopped' });
    expect(await rejection(guest.pause())).toMatchObject({ code: 'EBADF' });
    expect(() => guest.run()).toThrow('the guest is stopped');
    expect(guest.input(zeros(1))).toBe(0);
    expect(seen.failures).toEqual([]);
    guest.stop();
  });

  test('a handler may stop the guest, and the console is told to its end', async (context) => {
    const stopping = withResolver();
    const { guest, seen } = await scriptedGuest(
      context,
      [writesPort(0x3f8, ascii('bye')), mmioWrite],
      {
        handlers: {
          exit: () => {
            guest.stop();
            stopping.resolve();
            return undefined;
          },
        },
      },
    );
    guest.run();
    await stopping.promise;
    expect(seen.console).toEqual(ascii('bye'));
  });

  test('run and pause in turn wait for what the threads do, whether they noticed or not', async (context) => {
    const { guest } = await scriptedGuest(
      context,
      Array.from({ length: 1000 }, () => runsOn),
      { vcpuCount: 3 },
    );
    for (let round = 0; round < 200; round += 1) {
      guest.run();
      if (round % 3 === 0) await new Promise((next) => setImmediate(next));
      await guest.pause();
    }
  });

  test('a run before all have parked cancels the pause', async (context) => {
    const { guest } = await scriptedGuest(context, [runsOn, runsOn, runsOn, runsOn]);
    guest.run();
    const pause = guest.pause();
    guest.run();
    await pause.then(
      () => {},
      (error) => expect(error).toMatchObject({ code: 'ECANCELED' }),
    );
    await guest.pause();
  });
});

test('while a guest runs, calls on its vCPUs are refused, and it does not run while one is in flight', async (context) => {
  const { guest, vcpus, script } = await scriptedGuest(context, [runsOn]);
  const [vcpu] = vcpus;
  if (!vcpu) throw new Error('no vCPU');
  guest.run();
  expect(await rejection(vcpu.kvmGetRegs())).toMatchObject({
    code: 'EBUSY',
    message: 'KVM_GET_REGS: the vCPU runs: pause its guest first',
  });
  await guest.pause();
  const { release } = script({ request: ioctlNumbers.KVM_GET_REGS, hold: true });
  const regs = vcpu.kvmGetRegs();
  expect(() => guest.run()).toThrow('a call on a vCPU of the guest is still in flight');
  release();
  await regs;
});

function withResolver() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** The ports of a guest, whose KVM_RUN is a script. */
import { describe, expect, test } from 'vitest';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  ascii,
  completes,
  exits,
  portData,
  powerOff,
  readsPort,
  scriptedGuest,
  writesPort,
} from './guest-support.ts';
import { concat, u32, zeros } from './support.ts';

const run = ioctlNumbers.KVM_RUN;

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
    // The reader is this thread, which does not come to it before the guest has written all.
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const until = Date.now() + 60_000;
    while (guest.counts().exits < 2 && Date.now() < until) Atomics.wait(clock, 0, 0, 1);
    await ended;
    expect(seen.console).toEqual(ascii('0123'));
    expect(seen.lostBytes).toBe(6);
    expect(guest.counts().lostConsoleBytes).toBe(6);
  });
});

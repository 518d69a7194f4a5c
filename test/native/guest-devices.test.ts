/** The state of a guest's devices, out of one guest and into another; KVM_RUN is a script. */
import { describe, expect, test } from 'vitest';
import type { GuestDevices } from '../../native/index.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  ascii,
  completes,
  portData,
  powerOff,
  readsPort,
  runsOn,
  scriptedGuest,
  writesPort,
} from './guest-support.ts';
import { zeros } from './support.ts';

const asMade: GuestDevices = {
  version: 1,
  com1: {
    divisor: 1,
    interruptEnable: 0,
    lineControl: 0,
    modemControl: 0,
    scratch: 0,
    fifosEnabled: false,
    transmitterPending: false,
    received: zeros(0),
    looped: zeros(0),
  },
  resetControl: 0,
};

const asSet: GuestDevices = {
  version: 1,
  com1: {
    divisor: 0x010c,
    interruptEnable: 0x03,
    lineControl: 0x03,
    modemControl: 0x1b,
    scratch: 0xa5,
    fifosEnabled: true,
    transmitterPending: true,
    received: Uint8Array.from(ascii('typed')),
    looped: Uint8Array.of(0x55),
  },
  resetControl: 0x02,
};

describe('the devices of a guest', () => {
  test('are as they were made, until it sets them up', async (context) => {
    const { guest } = await scriptedGuest(context, []);
    expect(guest.getDevices()).toEqual(asMade);
  });

  test('have in their state all that the guest has set, and the input it has not read', async (context) => {
    const { guest, seen } = await scriptedGuest(context, [
      ...[writesPort(0x3fb, [0x83]), writesPort(0x3f8, [0x0c]), writesPort(0x3f9, [0x01])],
      ...[writesPort(0x3fb, [0x03]), writesPort(0x3fa, [0x07]), writesPort(0x3ff, [0xa5])],
      ...[writesPort(0x3f8, ascii('said')), writesPort(0x3f9, [0x03])],
      ...[writesPort(0x3fc, [0x1b]), writesPort(0x3f8, [0x55]), writesPort(0xcf9, [0x02])],
      ...[runsOn, completes],
    ]);
    guest.input(Uint8Array.from(ascii('typed')));
    guest.run();
    while (guest.counts().exits < 11) await new Promise((resolve) => setImmediate(resolve));
    await guest.pause();
    expect(guest.getDevices()).toEqual(asSet);
    // Asking changes nothing.
    expect(guest.getDevices()).toEqual(asSet);
    expect(seen.console).toEqual(ascii('said'));
  });

  test('are the same after they were put into another guest', async (context) => {
    const { guest, ended, calls, seen } = await scriptedGuest(context, [
      // Out of loop-back mode the input is what can be read.
      ...[readsPort(0x3f8), writesPort(0x3fc, [0x0b]), readsPort(0x3f8), readsPort(0x3ff)],
      ...[readsPort(0x3fa), writesPort(0x3fb, [0x83]), readsPort(0x3f8), readsPort(0x3f9)],
      ...[powerOff, completes],
    ]);
    guest.input(Uint8Array.from(ascii('of nobody')));
    guest.setDevices(asSet);
    expect(guest.getDevices()).toEqual(asSet);
    guest.run();
    await ended;
    expect([1, 3, 4, 5, 7, 8].flatMap((at) => portData(calls, at))).toEqual([
      ...[0x55, ...ascii('t'), 0xa5],
      // FIFOs, and an interrupt of the input that is left.
      ...[0xc4, 0x0c, 0x01],
    ]);
    // Nothing is printed a second time.
    expect(seen.console).toEqual([]);
  });

  test('survive JSON, but for what is made of bytes', async (context) => {
    const { guest } = await scriptedGuest(context, []);
    const { com1, ...rest } = JSON.parse(JSON.stringify(asSet)) as GuestDevices;
    const { received, looped } = asSet.com1;
    guest.setDevices({ ...rest, com1: { ...com1, received, looped } });
    expect(guest.getDevices()).toEqual(asSet);
  });

  test('give a line the level that it had, high or low, and send no message twice', async (context) => {
    const irq = { request: ioctlNumbers.KVM_IRQ_LINE };
    const byLine = await scriptedGuest(context, [irq, irq], { interrupt: { line: 4 } });
    byLine.guest.setDevices(asSet);
    byLine.guest.setDevices(asMade);
    expect(byLine.calls.calls().map(({ argument }) => [...argument])).toEqual([
      [4, 0, 0, 0, 1, 0, 0, 0],
      [4, 0, 0, 0, 0, 0, 0, 0],
    ]);
    const interrupt = { msiAddress: 0xfee0_0000n, msiData: 0x34 };
    const byMessage = await scriptedGuest(context, [], { interrupt });
    byMessage.guest.setDevices(asSet);
    expect(byMessage.calls.calls()).toEqual([]);
  });

  test('are refused to those who ask while it runs, and once it is stopped', async (context) => {
    const { guest } = await scriptedGuest(context, [runsOn, completes]);
    guest.run();
    const running = expect.objectContaining({
      code: 'EBUSY',
      message: 'the guest runs: pause it first',
    });
    expect(() => guest.getDevices()).toThrow(running);
    expect(() => guest.setDevices(asSet)).toThrow(running);
    await guest.pause();
    expect(guest.getDevices()).toEqual(asMade);
    guest.stop();
    expect(() => guest.getDevices()).toThrow('the guest is stopped');
    expect(() => guest.setDevices(asSet)).toThrow('the guest is stopped');
  });

  const com1 = (part: object) => ({ ...asSet, com1: { ...asSet.com1, ...part } });
  const mistakes = [
    ['`devices` must be an object', undefined],
    ['`version` must be an integer from 1 to 1', { ...asSet, version: 2 }],
    ['`com1` must be an object', { ...asSet, com1: 1 }],
    ['`divisor` must be an integer from 0 to 65535', com1({ divisor: 0x1_0000 })],
    ['`interruptEnable` must be an integer from 0 to 15', com1({ interruptEnable: 16 })],
    ['`modemControl` must be an integer from 0 to 31', com1({ modemControl: 32 })],
    ['`fifosEnabled` must be true or false', com1({ fifosEnabled: 1 })],
    ['`received` must be a Uint8Array', com1({ received: [1] })],
    ['`received` must have at most 65536 bytes', com1({ received: zeros(65537) })],
    ['`looped` must have at most 16 bytes', com1({ looped: zeros(17) })],
    ['`resetControl` must be an integer from 0 to 255', { ...asSet, resetControl: 256 }],
  ] as const;
  test.for(mistakes)('that are none change nothing: %s', async ([message, wrong], context) => {
    const { guest } = await scriptedGuest(context, []);
    expect(() => guest.setDevices(wrong as never)).toThrow(message);
    expect(guest.getDevices()).toEqual(asMade);
  });
});

describe('a pause', () => {
  test('resolves when all that was written has been told, also where nobody had looked yet', async (context) => {
    const { guest, seen } = await scriptedGuest(context, [
      writesPort(0x3f8, ascii('Hello')),
      writesPort(0x402, ascii('log')),
      powerOff,
      completes,
    ]);
    guest.run();
    // This thread does not come to it before the guest has written all and its vCPU is parked.
    const clock = new Int32Array(new SharedArrayBuffer(4));
    const until = Date.now() + 60_000;
    while (guest.counts().exits < 3 && Date.now() < until) Atomics.wait(clock, 0, 0, 1);
    Atomics.wait(clock, 0, 0, 20);
    await guest.pause();
    expect(seen.console).toEqual(ascii('Hello'));
    expect(seen.debugConsole).toEqual(ascii('log'));
  });

  test('that a handler answers by a run leaves the guest running', async (context) => {
    const { guest, seen } = await scriptedGuest(
      context,
      [writesPort(0x3f8, ascii('a')), runsOn, runsOn, completes],
      {
        handlers: {
          console: () => {
            seen.console.push(1);
            void guest.pause();
            expect(guest.awaitParked(1000)).toBe(true);
            guest.run();
          },
        },
      },
    );
    guest.run();
    while (seen.console.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(() => guest.getDevices()).toThrow('the guest runs: pause it first');
    await guest.pause();
  });
});

/** Guests that run on the real /dev/kvm, each of a few instructions. */
import { describe, expect, test } from 'vitest';
import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import {
  counterAt,
  enterRealMode,
  enterUserMode,
  floatsOf,
  memoryBytes,
  programAt,
  readU64,
  requireMachine,
  takesIrq4At,
  vcpuThreads,
} from './guest-support.ts';

const ascii = (text: string) => Buffer.from(text);

/** Prints `o`, then what it is given. */
const echoes = Uint8Array.of(
  ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
  ...[0xb0, 0x6f], // mov $'o', %al
  0xee, // out %al, (%dx)
  ...[0xba, 0xfd, 0x03], // 1: mov $0x3fd, %dx
  0xec, // in (%dx), %al
  ...[0xa8, 0x01], // test $1, %al
  ...[0x74, 0xf8], // jz 1b
  ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
  0xec, // in (%dx), %al
  0xee, // out %al, (%dx)
  ...[0xeb, 0xf1], // jmp 1b
);

/** Prints 0, 1, 2 and so on, modulo 256. */
const printsCount = Uint8Array.of(
  ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
  0xee, // 1: out %al, (%dx)
  ...[0xfe, 0xc0], // inc %al
  ...[0xeb, 0xfb], // jmp 1b
);

const spinsWithoutInterrupts = Uint8Array.of(
  0xfa, // cli
  ...[0xeb, 0xfe], // jmp .
);

/** Where no exception has a handler, nor has a fault on the way to it. */
const triplesFault = Uint8Array.of(
  ...[0x0f, 0x0b], // ud2
);

/** Prints the byte that is read at 0xd0000, twice. */
const readsMmio = Uint8Array.of(
  ...[0xb8, 0x00, 0xd0], // mov $0xd000, %ax
  ...[0x8e, 0xd8], // mov %ax, %ds
  ...[0xa0, 0x00, 0x00], // mov 0, %al
  ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
  0xee, // out %al, (%dx)
  ...[0xa0, 0x01, 0x00], // mov 1, %al
  0xee, // out %al, (%dx)
  0xf4, // hlt
);

/** Prints what it is given, by the interrupt of COM1 alone. */
const echoesByInterrupt = new Uint8Array(0x8a);
echoesByInterrupt.set([
  ...takesIrq4At(0x1080),
  ...[0xba, 0xf9, 0x03], // mov $0x3f9, %dx
  ...[0xb0, 0x01], // mov $1, %al
  0xee, // out %al, (%dx)
  0xfb, // 1: sti
  0xf4, // hlt
  ...[0xeb, 0xfc], // jmp 1b
]);
echoesByInterrupt.set(
  [
    ...[0xba, 0xf8, 0x03], // mov $0x3f8, %dx
    0xec, // in (%dx), %al
    0xee, // out %al, (%dx)
    ...[0xb0, 0x20, 0xe6, 0x20], // the interrupt has been handled
    0xcf, // iret
  ],
  0x80,
);

/** Counts in rbx, xmm0 and st(0), and in memory. */
const counts = Uint8Array.of(
  ...[0xb8, 0x01, 0x00, 0x00, 0x00], // mov $1, %eax
  ...[0x66, 0x48, 0x0f, 0x6e, 0xc8], // movq %rax, %xmm1
  ...[0x66, 0x0f, 0xef, 0xc0], // pxor %xmm0, %xmm0
  ...[0xdb, 0xe3], // fninit
  ...[0xd9, 0xee], // fldz
  ...[0x48, 0xff, 0xc3], // 1: inc %rbx
  ...[0x48, 0x89, 0x1c, 0x25, 0x00, 0x20, 0x00, 0x00], // mov %rbx, 0x2000
  ...[0x66, 0x0f, 0xd4, 0xc1], // paddq %xmm1, %xmm0
  ...[0xd9, 0xe8], // fld1
  ...[0xde, 0xc1], // faddp
  ...[0xeb, 0xeb], // jmp 1b
);

describe('a guest', () => {
  test('prints on COM1, and echoes what it is given', async (context) => {
    const { makeVm } = await requireMachine(context, echoes);
    const { vcpu, start } = await makeVm();
    await enterRealMode(vcpu);
    const { guest, console, written } = await start();
    guest.run();
    await written(1);
    expect(guest.input(ascii('typed'))).toBe(5);
    await written(6);
    expect(console().toString()).toBe('otyped');
  });

  test('gets its input by an interrupt', async (context) => {
    const { makeVm } = await requireMachine(context, echoesByInterrupt);
    const { vcpu, start } = await makeVm({ irqchip: true });
    await enterRealMode(vcpu);
    const { guest, console, written } = await start({}, { interrupt: { line: 4 } });
    guest.run();
    for (const [at, byte] of ascii('irq').entries()) {
      guest.input(Uint8Array.of(byte));
      await written(at + 1);
    }
    expect(console().toString()).toBe('irq');
  });

  test('that triple-faults ends, and its registers can be read', async (context) => {
    const { makeVm, memory } = await requireMachine(context, triplesFault);
    const { vcpu, start } = await makeVm();
    await enterUserMode(vcpu, memory);
    const { guest, ended } = await start();
    guest.run();
    expect(await ended).toEqual({ kind: 'shutdown', vcpu: 0 });
    expect((await vcpu.kvmGetRegs()).rip).toBe(programAt);
    expect(() => guest.run()).toThrow('the guest has ended');
  });

  test('reads from MMIO what a handler gives, and all ones where it throws', async (context) => {
    const { makeVm } = await requireMachine(context, readsMmio);
    const { vcpu, start } = await makeVm();
    await enterRealMode(vcpu);
    const oops = new Error('oops');
    const { guest, ended, console, failures } = await start({
      exit: (_, exit) => {
        if (exit.kind !== 'mmio' || exit.gpa !== 0xd_0000n) throw oops;
        return { data: Uint8Array.of(0x42) };
      },
    });
    guest.run();
    expect(await ended).toEqual({ kind: 'halted', vcpu: 0 });
    expect([...console()]).toEqual([0x42, 0xff]);
    expect(failures).toEqual([oops]);
    expect(guest.counts()).toMatchObject({ handedOn: 2, handlerErrors: 1 });
  });

  test('that floods its console loses what does not fit, counted, and nothing in between', async (context) => {
    const { makeVm } = await requireMachine(context, printsCount);
    const { vcpu, start } = await makeVm();
    await enterRealMode(vcpu);
    const gaps: { at: number; lostBytes: number }[] = [];
    let all: number[] = [];
    const { guest } = await start(
      {
        console: (bytes, lostBytes) => {
          all = all.concat([...bytes]);
          if (lostBytes > 0) gaps.push({ at: all.length, lostBytes });
        },
      },
      { consoleBytes: 64 },
    );
    guest.run();
    while (gaps.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await guest.pause();
    guest.stop();
    while (guest.counts().exits > all.length + guest.counts().lostConsoleBytes) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Every byte is where it belongs, and each gap is as long as was told.
    let lost = 0;
    let next = 0;
    for (const [at, byte] of all.entries()) {
      while (gaps[next]?.at === at) {
        lost += gaps[next]?.lostBytes ?? 0;
        next += 1;
      }
      if (byte !== (at + lost) % 256) throw new Error(`byte ${at} is ${byte}, ${lost} lost`);
    }
  });
});

describe('a pause', () => {
  test('a thousand times, with the state read each time, prints every byte once', async (context) => {
    const { makeVm } = await requireMachine(context, printsCount);
    const { vcpu, start, shape } = await makeVm();
    await enterRealMode(vcpu);
    const { guest, console, written } = await start();
    for (let round = 0; round < 1000; round += 1) {
      guest.run();
      // Also before the thread has noticed, and while it waits for a byte to be taken.
      if (round % 4 === 0) await written(console().length + 1);
      await guest.pause();
      if (round % 2 === 0) await vcpu.setState(await vcpu.getState(shape));
    }
    const { rax } = await vcpu.kvmGetRegs();
    guest.stop();
    await written(guest.counts().exits);
    const bytes = console();
    expect(bytes.length).toBe(guest.counts().exits);
    expect(bytes.findIndex((byte, at) => byte !== at % 256)).toBe(-1);
    // The last one was counted before the pause, or will be after it.
    expect([0, 1]).toContain((bytes.length - Number(rax & 0xffn)) % 256);
  });

  test('and a stop come through to a guest that spins with interrupts off', async (context) => {
    const { makeVm } = await requireMachine(context, spinsWithoutInterrupts);
    const { vcpus, start } = await makeVm({ vcpuCount: 3 });
    await Promise.all(vcpus.map(enterRealMode));
    const { guest } = await start();
    guest.run();
    await guest.pause();
    // Each names itself before it parks.
    expect(vcpuThreads().sort()).toEqual(['vcpu 0', 'vcpu 1', 'vcpu 2']);
    guest.run();
    guest.stop();
    expect(vcpuThreads()).toEqual([]);
  });
});

test('a guest that moves to another VM has every register there, and counts on', async (context) => {
  const { makeVm, memory } = await requireMachine(context, counts);
  const source = await makeVm();
  const target = await makeVm();
  await enterUserMode(source.vcpu, memory);
  // What the guest itself does not touch.
  const debugregs = await source.vcpu.kvmGetDebugregs();
  debugregs.set([0x78, 0x56, 0x34, 0x12], 0); // DR0
  await source.vcpu.kvmSetDebugregs(debugregs);
  const [lstar, kernelGsBase] = [0xc000_0082, 0xc000_0102];
  expect(
    await source.vcpu.kvmSetMsrs([
      { index: lstar, data: 0x1234_5678n },
      { index: kernelGsBase, data: 0x9abc_def0n },
    ]),
  ).toEqual([]);
  const sregs = await source.vcpu.kvmGetSregs();
  sregs[256] = 7; // CR8, the TPR
  await source.vcpu.kvmSetSregs(sregs);

  let running = await source.start();
  const next = await target.start();
  let from = source;
  let to = target;
  let other = next;
  let count = 0n;
  for (let move = 0; move < 20; move += 1) {
    running.guest.run();
    while (readU64(memory, counterAt) <= count) await new Promise((r) => setImmediate(r));
    await running.guest.pause();
    const state = await from.vcpu.getState(from.shape);
    await to.vcpu.setState(state);
    const there = await to.vcpu.getState(to.shape);
    // The TSC runs on; all else is as it was.
    const withoutTsc = { ...state, msrs: withoutMsr(state.msrs, 0x10) };
    expect({ ...there, msrs: withoutMsr(there.msrs, 0x10) }).toEqual(withoutTsc);
    const { xmm, st0 } = floatsOf(there);
    // The loop counts in one after the other: none is more than one behind.
    for (const value of [xmm(0), st0, readU64(memory, counterAt)]) {
      expect(there.regs.rbx - value).toBeLessThanOrEqual(1n);
      expect(there.regs.rbx - value).toBeGreaterThanOrEqual(0n);
    }
    expect(there.regs.rbx).toBeGreaterThan(count);
    count = there.regs.rbx;
    [running, other] = [other, running];
    [from, to] = [to, from];
  }
  const end = await from.vcpu.getState(from.shape);
  expect(new DataView(end.debugregs.buffer).getBigUint64(0, true)).toBe(0x1234_5678n);
  expect((end.sregs2 ?? end.sregs)?.[256]).toBe(7);
  expect(await from.vcpu.kvmGetMsrs([lstar, kernelGsBase])).toEqual([
    { index: lstar, data: 0x1234_5678n },
    { index: kernelGsBase, data: 0x9abc_def0n },
  ]);
});

function withoutMsr(entries: Uint8Array, index: number): number[][] {
  const view = new DataView(entries.buffer, entries.byteOffset);
  return Array.from({ length: entries.length / 16 }, (_, at) => [
    ...entries.subarray(16 * at, 16 * at + 16),
  ]).filter((_, at) => view.getUint32(16 * at, true) !== index);
}

test('what the kernel keeps of interrupts, timers and the clock goes to another VM', async (context) => {
  const { makeVm } = await requireMachine(context, echoesByInterrupt);
  const [source, target] = await Promise.all([
    makeVm({ irqchip: true }),
    makeVm({ irqchip: true }),
  ]);
  await Promise.all([source.vm.kvmCreatePit2(), target.vm.kvmCreatePit2()]);
  await enterRealMode(source.vcpu);
  const options = { interrupt: { line: 4 } };
  const before = await source.start({}, options);
  before.guest.run();
  before.guest.input(ascii('a'));
  await before.written(1);
  await before.guest.pause();
  // The controllers and the clock first: an interrupt that is pending there is the new vCPU's at once.
  const shape = { irqchip: true, pit: true, clock: true };
  const ofVm = await source.vm.getState(shape);
  await target.vm.setState(ofVm);
  const thereOfVm = await target.vm.getState(shape);
  expect(thereOfVm.irqchips).toEqual(ofVm.irqchips);
  expect(nanoseconds(thereOfVm.clock)).toBeGreaterThanOrEqual(nanoseconds(ofVm.clock));
  const state = await source.vcpu.getState(source.shape);
  expect(state.lapic).toHaveLength(1024);
  expect(await target.vcpu.setState(state)).toEqual([]);
  const there = await target.vcpu.getState(target.shape);
  expect(there.regs).toEqual(state.regs);
  expect(there.lapic).toEqual(state.lapic);
  expect(there.mpState).toBe(state.mpState);
  const after = await target.start({}, options);
  after.guest.run();
  await after.guest.pause();
});

const nanoseconds = (clock: Uint8Array = new Uint8Array(8)) =>
  new DataView(clock.buffer, clock.byteOffset).getBigUint64(0, true);

test('a clock that is set is what the VM goes on from', async (context) => {
  const { makeVm } = await requireMachine(context, spinsWithoutInterrupts);
  const { vm } = await makeVm();
  const shape = { irqchip: false, pit: false, clock: true };
  const hour = 3600n * 10n ** 9n;
  const clock = new Uint8Array(48);
  new DataView(clock.buffer).setBigUint64(0, hour, true);
  await vm.setState({ clock });
  const ahead = nanoseconds((await vm.getState(shape)).clock) - hour;
  expect(ahead).toBeGreaterThanOrEqual(0n);
  expect(ahead).toBeLessThan(hour);
});

test('the frequency of the TSC goes to another VM, or is refused by a host that cannot give it', async (context) => {
  const { makeVm, system } = await requireMachine(context, spinsWithoutInterrupts);
  const [source, target] = await Promise.all([makeVm(), makeVm()]);
  const hostKhz = await source.vcpu.kvmGetTscKhz();
  const state = await source.vcpu.getState(source.shape);
  expect(state.tscKhz).toBe(hostKhz);
  // Any host gives a faster one: by scaling, or by catching up.
  await source.vcpu.kvmSetTscKhz(2 * hostKhz);
  await target.vcpu.setState(await source.vcpu.getState(source.shape));
  expect(await target.vcpu.kvmGetTscKhz()).toBe(2 * hostKhz);
  const slower = { ...state, tscKhz: hostKhz >> 1 };
  if ((await system.kvmCheckExtension(capabilities.KVM_CAP_TSC_CONTROL)) > 0) {
    await target.vcpu.setState(slower);
    expect(await target.vcpu.kvmGetTscKhz()).toBe(hostKhz >> 1);
    return;
  }
  await expect(target.vcpu.setState(slower)).rejects.toMatchObject({
    request: 'KVM_SET_TSC_KHZ',
    code: 'EINVAL',
  });
});

test('memory of a memfd is what both VMs see, and this process too', async (context) => {
  const { makeVm, memory, addon } = await requireMachine(context, spinsWithoutInterrupts);
  await Promise.all([makeVm(), makeVm()]);
  expect(memory.fd).toBeGreaterThan(2);
  expect(memory.sizeBytes).toBe(memoryBytes);
  const anonymous = await addon.UserMemory.map(4096n);
  expect(anonymous.fd).toBe(-1);
  await anonymous.close();
});

/** The state of a vCPU: each part as the kernel has it, and all of it in the kernel's order. */
import { describe, expect, test } from 'vitest';
import type { Regs, Vcpu, VcpuState, Vm } from '../../native/index.ts';
import { msr } from '../../src/abi/kvm/msrs.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { vcpuStateBytes } from '../../src/abi/kvm/vcpu-state.ts';
import { concat, rejection, scripted, u32, u64, zeros } from './support.ts';

const names = Object.fromEntries(
  Object.entries(ioctlNumbers).map(([name, number]) => [number, name]),
);
const pattern = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 7 + length) % 251);
const order = ['rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags'].flatMap(
  (line) => line.split(' '),
) as (keyof Regs)[];
const regs = Object.fromEntries(
  order.map((name, at) => [name, 2n ** 63n + BigInt(at)]),
) as unknown as Regs;
const regsBytes = u64(...order.map((name) => regs[name]));
const msrEntry = (index: number, data: bigint) => concat(u32(index, 0), u64(data));

describe('bytes of a part', () => {
  type Part<Of> = readonly [
    keyof typeof ioctlNumbers,
    keyof typeof ioctlNumbers,
    number,
    (of: Of) => Promise<Uint8Array>,
    (of: Of, bytes: Uint8Array) => Promise<void>,
  ];
  const sizes = vcpuStateBytes;
  const parts: readonly Part<Vcpu>[] = [
    [
      'KVM_GET_SREGS',
      'KVM_SET_SREGS',
      sizes.KVM_GET_SREGS,
      (v) => v.kvmGetSregs(),
      (v, b) => v.kvmSetSregs(b),
    ],
    [
      'KVM_GET_SREGS2',
      'KVM_SET_SREGS2',
      sizes.KVM_GET_SREGS2,
      (v) => v.kvmGetSregs2(),
      (v, b) => v.kvmSetSregs2(b),
    ],
    [
      'KVM_GET_XCRS',
      'KVM_SET_XCRS',
      sizes.KVM_GET_XCRS,
      (v) => v.kvmGetXcrs(),
      (v, b) => v.kvmSetXcrs(b),
    ],
    [
      'KVM_GET_VCPU_EVENTS',
      'KVM_SET_VCPU_EVENTS',
      sizes.KVM_GET_VCPU_EVENTS,
      (v) => v.kvmGetVcpuEvents(),
      (v, b) => v.kvmSetVcpuEvents(b),
    ],
    [
      'KVM_GET_DEBUGREGS',
      'KVM_SET_DEBUGREGS',
      sizes.KVM_GET_DEBUGREGS,
      (v) => v.kvmGetDebugregs(),
      (v, b) => v.kvmSetDebugregs(b),
    ],
    [
      'KVM_GET_LAPIC',
      'KVM_SET_LAPIC',
      sizes.KVM_GET_LAPIC,
      (v) => v.kvmGetLapic(),
      (v, b) => v.kvmSetLapic(b),
    ],
    [
      'KVM_GET_XSAVE',
      'KVM_SET_XSAVE',
      sizes.KVM_GET_XSAVE,
      (v) => v.kvmGetXsave(),
      (v, b) => v.kvmSetXsave(b),
    ],
    [
      'KVM_GET_XSAVE2',
      'KVM_SET_XSAVE',
      sizes.KVM_GET_XSAVE2,
      (v) => v.kvmGetXsave2(4096),
      (v, b) => v.kvmSetXsave(b),
    ],
  ];
  test.for(parts)('%s and %s move them whole', async ([get, set, length, read, write], context) => {
    const { vcpu, script } = await scripted(context);
    const bytes = pattern(length);
    const { calls } = script(
      { request: ioctlNumbers[get], argument: bytes },
      { request: ioctlNumbers[set] },
    );
    expect(await read(vcpu)).toEqual(bytes);
    await write(vcpu, bytes);
    expect(calls().map(({ argument }) => argument)).toEqual([zeros(length), bytes]);
    const other = await rejection(write(vcpu, zeros(length - 1)));
    expect(other).toBeInstanceOf(RangeError);
    expect(calls()).toHaveLength(2);
  });

  const vmParts: readonly Part<Vm>[] = [
    ['KVM_GET_CLOCK', 'KVM_SET_CLOCK', 48, (v) => v.kvmGetClock(), (v, b) => v.kvmSetClock(b)],
    ['KVM_GET_PIT2', 'KVM_SET_PIT2', 112, (v) => v.kvmGetPit2(), (v, b) => v.kvmSetPit2(b)],
  ];
  test.for(vmParts)('%s and %s of a VM', async ([get, set, length, read, write], context) => {
    const { vm, script } = await scripted(context);
    const bytes = pattern(length);
    const { calls } = script(
      { request: ioctlNumbers[get], argument: bytes },
      { request: ioctlNumbers[set] },
    );
    expect(await read(vm)).toEqual(bytes);
    await write(vm, bytes);
    expect(calls()[1]?.argument).toEqual(bytes);
  });

  test('of an interrupt controller, which is named', async (context) => {
    const { vm, script } = await scripted(context);
    const bytes = concat(u32(2, 0), pattern(512));
    const { calls } = script(
      { request: ioctlNumbers.KVM_GET_IRQCHIP, argument: bytes },
      { request: ioctlNumbers.KVM_SET_IRQCHIP },
      { request: ioctlNumbers.KVM_CREATE_PIT2 },
      { request: ioctlNumbers.KVM_IRQ_LINE },
    );
    expect(await vm.kvmGetIrqchip(2)).toEqual(bytes);
    await vm.kvmSetIrqchip(bytes);
    await vm.kvmCreatePit2(1);
    await vm.kvmIrqLine(4, 1);
    expect(calls().map(({ argument }) => argument)).toEqual([
      concat(u32(2, 0), zeros(512)),
      bytes,
      concat(u32(1), zeros(60)),
      u32(4, 1),
    ]);
    expect((await rejection(vm.kvmGetIrqchip(3))).message).toBe(
      '`chip` must be an integer from 0 to 2',
    );
  });

  test('of xsave are never fewer than the kernel moves, whatever the caller has', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_GET_XSAVE2 });
    expect(await vcpu.kvmGetXsave2(11_008)).toHaveLength(11_008);
    expect(await rejection(vcpu.kvmGetXsave2(4095))).toBeInstanceOf(RangeError);
    expect(await rejection(vcpu.kvmSetXsave(zeros(32_769)))).toBeInstanceOf(RangeError);
    expect(calls()).toHaveLength(1);
  });
});

describe('registers by name', () => {
  test('go both ways, each in its place', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_GET_REGS, argument: regsBytes },
      { request: ioctlNumbers.KVM_SET_REGS },
    );
    expect(await vcpu.kvmGetRegs()).toEqual(regs);
    await vcpu.kvmSetRegs(regs);
    expect(calls()[1]?.argument).toEqual(regsBytes);
    const { r11, ...others } = regs;
    expect((await rejection(vcpu.kvmSetRegs(others as Regs))).message).toBe(
      '`r11` must be a BigInt from 0n to 2n ** 64n - 1n',
    );
    expect(r11).toBeDefined();
  });

  test('the MP state and the TSC', async (context) => {
    const { vcpu, vm, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_GET_MP_STATE, argument: u32(3) },
      { request: ioctlNumbers.KVM_SET_MP_STATE },
      { request: ioctlNumbers.KVM_GET_DEVICE_ATTR, data: u64(2n ** 64n - 5n) },
      { request: ioctlNumbers.KVM_SET_DEVICE_ATTR },
      { request: ioctlNumbers.KVM_GET_TSC_KHZ, returns: 2_000_000 },
      { request: ioctlNumbers.KVM_GET_TSC_KHZ, returns: 3_000_000 },
    );
    expect(await vcpu.kvmGetMpState()).toBe(3);
    await vcpu.kvmSetMpState(1);
    expect(await vcpu.kvmGetTscOffset()).toBe(2n ** 64n - 5n);
    await vcpu.kvmSetTscOffset(77n);
    expect(await vcpu.kvmGetTscKhz()).toBe(2_000_000);
    expect(await vm.kvmGetTscKhz()).toBe(3_000_000);
    expect(calls()[1]?.argument).toEqual(u32(1));
    expect(calls()[3]?.argument.slice(0, 16)).toEqual(zeros(16));
    expect(calls()[3]?.data).toEqual(u64(77n));
  });
});

describe('MSRs', () => {
  test('are listed by the kernel, however many there are', async (context) => {
    const { system, script } = await scripted(context);
    const many = Array.from({ length: 300 }, (_, at) => at + 5);
    const request = ioctlNumbers.KVM_GET_MSR_INDEX_LIST;
    const E2BIG = 7;
    const { calls } = script(
      { request, errno: E2BIG, argument: u32(300) },
      { request, argument: u32(300, ...many) },
    );
    expect(await system.kvmGetMsrIndexList()).toEqual(many);
    expect(calls().map(({ argument }) => argument.length)).toEqual([4 + 256 * 4, 4 + 300 * 4]);
  });

  test('that are refused are left out, and the rest goes on', async (context) => {
    const { vcpu, script } = await scripted(context);
    const header = (count: number) => u32(count, 0);
    const { calls } = script(
      {
        request: ioctlNumbers.KVM_GET_MSRS,
        returns: 1,
        argument: concat(header(4), msrEntry(1, 11n)),
      },
      { request: ioctlNumbers.KVM_GET_MSRS, returns: 0 },
      {
        request: ioctlNumbers.KVM_GET_MSRS,
        returns: 1,
        argument: concat(header(1), msrEntry(4, 44n)),
      },
      { request: ioctlNumbers.KVM_SET_MSRS, returns: 1 },
      { request: ioctlNumbers.KVM_SET_MSRS, returns: 1 },
    );
    expect(await vcpu.kvmGetMsrs([1, 2, 3, 4])).toEqual([
      { index: 1, data: 11n },
      { index: 4, data: 44n },
    ]);
    const entries = [1, 2, 3].map((index) => ({ index, data: BigInt(index) }));
    expect(await vcpu.kvmSetMsrs(entries)).toEqual([2]);
    expect(calls().map(({ argument }) => new Uint32Array(argument.slice(0, 4).buffer)[0])).toEqual([
      4, 2, 1, 3, 1,
    ]);
    expect(calls()[3]?.argument).toEqual(
      concat(header(3), msrEntry(1, 1n), msrEntry(2, 2n), msrEntry(3, 3n)),
    );
  });

  test('go 256 at a time', async (context) => {
    const { vcpu, script } = await scripted(context);
    const request = ioctlNumbers.KVM_GET_MSRS;
    script({ request, returns: 256 }, { request, returns: 44 });
    expect(await vcpu.kvmGetMsrs(Array.from({ length: 300 }, (_, at) => at))).toHaveLength(300);
  });
});

describe('the whole state', () => {
  const answers = [
    ['KVM_GET_MP_STATE', u32(3)],
    ['KVM_GET_VCPU_EVENTS', pattern(64)],
    ['KVM_GET_REGS', regsBytes],
    ['KVM_GET_SREGS2', pattern(320)],
    ['KVM_GET_XSAVE2', pattern(4096)],
    ['KVM_GET_XCRS', pattern(392)],
    ['KVM_GET_DEBUGREGS', pattern(128)],
    ['KVM_GET_LAPIC', pattern(1024)],
  ] as const;
  const msrs = concat(msrEntry(msr.IA32_TSC, 99n), msrEntry(0xc000_0082, 0x1234n));
  const shape = {
    msrs: [msr.IA32_TSC, 0xc000_0082],
    xsaveBytes: 4096,
    sregs2: true,
    lapic: true,
    tscKhz: true,
    tscOffset: true,
  };
  const state: VcpuState = {
    mpState: 3,
    regs,
    vcpuEvents: pattern(64),
    sregs2: pattern(320),
    xsave: pattern(4096),
    xcrs: pattern(392),
    debugregs: pattern(128),
    lapic: pattern(1024),
    msrs,
    tscKhz: 2_596_140,
    tscOffset: 5n,
  };

  test('is got in the order of its side effects', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script(
      ...answers.map(([name, argument]) => ({ request: ioctlNumbers[name], argument })),
      {
        request: ioctlNumbers.KVM_GET_MSRS,
        returns: 2,
        argument: concat(u32(2, 0), msrs),
      },
      { request: ioctlNumbers.KVM_GET_TSC_KHZ, returns: 2_596_140 },
      { request: ioctlNumbers.KVM_GET_DEVICE_ATTR, data: u64(5n) },
    );
    expect(await vcpu.getState(shape)).toEqual({ ...state, refusedMsrs: [] });
    expect(calls().every(({ expected }) => expected)).toBe(true);
  });

  test('is set in the order of its side effects, the TSC by its offset alone', async (context) => {
    const { vcpu, script } = await scripted(context);
    const requests = [
      'KVM_SET_TSC_KHZ',
      'KVM_SET_SREGS2',
      'KVM_SET_REGS',
      'KVM_SET_XSAVE',
      'KVM_SET_XCRS',
      'KVM_SET_DEBUGREGS',
      'KVM_SET_LAPIC',
      'KVM_SET_MSRS',
      'KVM_SET_DEVICE_ATTR',
      'KVM_SET_VCPU_EVENTS',
      'KVM_SET_MP_STATE',
    ] as const;
    const { calls } = script(
      ...requests.map((name) => ({
        request: ioctlNumbers[name],
        returns: name === 'KVM_SET_MSRS' ? 1 : 0,
      })),
    );
    expect(await vcpu.setState(state)).toEqual([]);
    const made = calls();
    expect(made.map(({ request }) => names[request])).toEqual(requests);
    expect(made[0]?.value).toBe(2_596_140n);
    expect(made[7]?.argument).toEqual(concat(u32(1, 0), msrEntry(0xc000_0082, 0x1234n)));
    expect(made[3]?.argument).toEqual(state.xsave);
  });

  test('has the older structs where the newer are not there', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script(
      ...[
        'KVM_GET_MP_STATE',
        'KVM_GET_VCPU_EVENTS',
        'KVM_GET_REGS',
        'KVM_GET_SREGS',
        'KVM_GET_XSAVE',
        'KVM_GET_XCRS',
        'KVM_GET_DEBUGREGS',
      ].map((name) => ({ request: ioctlNumbers[name as keyof typeof ioctlNumbers] })),
    );
    const got = await vcpu.getState({
      msrs: [],
      xsaveBytes: 0,
      sregs2: false,
      lapic: false,
      tscKhz: false,
      tscOffset: false,
    });
    expect(calls()).toHaveLength(7);
    expect(got.sregs).toHaveLength(312);
    expect(got).not.toHaveProperty('sregs2');
    expect(got).not.toHaveProperty('lapic');
    expect(got).not.toHaveProperty('tscKhz');
    expect(got).not.toHaveProperty('tscOffset');
  });

  test('stops at the first part that is refused, which the error names', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_SET_TSC_KHZ },
      { request: ioctlNumbers.KVM_SET_SREGS2 },
      { request: ioctlNumbers.KVM_SET_REGS, errno: 22 },
    );
    expect(await rejection(vcpu.setState(state))).toMatchObject({
      request: 'KVM_SET_REGS',
      code: 'EINVAL',
    });
    expect(calls()).toHaveLength(3);
  });

  test('is refused with nothing set where the host cannot give its TSC', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_SET_TSC_KHZ, errno: 22 });
    expect(await rejection(vcpu.setState(state))).toMatchObject({
      request: 'KVM_SET_TSC_KHZ',
      code: 'EINVAL',
    });
    expect(calls()).toHaveLength(1);
  });

  const mistakes: readonly (readonly [string, object])[] = [
    ['`xsave` must have 4096 to 32768 bytes, not 100', { xsave: zeros(100) }],
    ['`lapic` must have 1024 bytes, not 1023', { lapic: zeros(1023) }],
    ['`msrs` must have 16 bytes for each MSR, of at most 4096', { msrs: zeros(17) }],
    ['a state must have either `sregs` or `sregs2`', { sregs: zeros(312) }],
    ['`vcpuEvents` must be a Uint8Array', { vcpuEvents: [] }],
  ];
  test.for(mistakes)('is refused before any call: %s', async ([message, wrong], context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script();
    const error = await rejection(vcpu.setState({ ...state, ...wrong }));
    expect(error.message).toBe(message);
    expect(calls()).toEqual([]);
  });
});

/** Misuse is refused with a sentence, before any call to the kernel. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeEntries, rejection, requireAddon, type Scripted, scripted, zeros } from './support.ts';

const initVm = {
  attributes: 0n,
  xfam: 3n,
  mrConfigId: zeros(48),
  mrOwner: zeros(48),
  mrOwnerConfig: zeros(48),
  cpuid: [],
};

const uint32 = (name: string) => `\`${name}\` must be an integer from 0 to 4294967295`;
const uint64 = (name: string) => `\`${name}\` must be a BigInt from 0n to 2n ** 64n - 1n`;
// biome-ignore lint/suspicious/noExplicitAny: misuse is what the types forbid.
type Misuse = (on: { [name in keyof Scripted]: any }) => Promise<unknown>;
type Case = readonly [what: string, message: string, call: Misuse];

describe('a wrong type is a TypeError', () => {
  const cases: readonly Case[] = [
    ['no number', uint32('id'), ({ vm }) => vm.kvmCreateVcpu()],
    ['a string', uint32('id'), ({ vm }) => vm.kvmCreateVcpu('1')],
    ['a BigInt for 32 bits', uint32('tscKhz'), ({ vm }) => vm.kvmSetTscKhz(1n)],
    ['a number for 64 bits', uint64('initialRcx'), ({ vcpu }) => vcpu.tdxInitVcpu(1)],
    ['null', '`cap` must be an object', ({ vm }) => vm.kvmEnableCap(null)],
    ['a missing field', uint32('capability'), ({ vm }) => vm.kvmEnableCap({})],
    [
      'no array',
      '`args` must be an array of at most 4 elements',
      ({ vm }) => vm.kvmEnableCap({ capability: 1, args: 1n }),
    ],
    [
      'an element of an array',
      uint64('args[1]'),
      ({ vm }) => vm.kvmEnableCap({ capability: 1, args: [1n, 2] }),
    ],
    ['an id of many', uint32('ids[2]'), ({ vm }) => vm.kvmCreateVcpus([0, 1, '2'])],
    ['a hole in an array', uint32('ids[0]'), ({ vm }) => vm.kvmCreateVcpus(new Array(1))],
    [
      'a register of a CPUID entry',
      uint32('entries[1].edx'),
      ({ vcpu }) => vcpu.kvmSetCpuid2([makeEntries(1)[0], { ...makeEntries(1)[0], edx: '0' }]),
    ],
    [
      'a CPUID entry',
      '`entries[0]` must be an object',
      ({ vcpu }) => vcpu.kvmSetCpuid2([undefined]),
    ],
    [
      'another typed array for bytes',
      '`mrOwner` must be a Uint8Array',
      ({ vm }) => vm.tdxInitVm({ ...initVm, mrOwner: new Uint16Array(24) }),
    ],
    [
      'another object for memory',
      '`memory` must be a UserMemory',
      ({ vm }) => vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: 1n, memory: vm }),
    ],
    [
      'an object that inherits from the right one',
      '`memory` must be a UserMemory',
      ({ vm, addon }) =>
        vm.kvmSetUserMemoryRegion({
          slot: 0,
          gpa: 0n,
          sizeBytes: 1n,
          memory: Object.create(addon.UserMemory.prototype),
        }),
    ],
    [
      'another fd for a guest_memfd',
      '`guestMemfd` must be a GuestMemfd',
      ({ vm, vcpu }) =>
        vm.kvmSetUserMemoryRegion2({ slot: 0, gpa: 0n, sizeBytes: 0n, guestMemfd: vcpu }),
    ],
    [
      'a number for the source of a move',
      '`source` must be a Vm',
      ({ vm, system }) => vm.kvmMoveEncContextFrom(system.fd),
    ],
    [
      'another fd for the source of a move',
      '`source` must be a Vm',
      ({ vm, vcpu }) => vm.kvmMoveEncContextFrom(vcpu),
    ],
    [
      'KVM_MEM_GUEST_MEMFD without one',
      '`guestMemfd` must be a GuestMemfd',
      ({ vm }) => vm.kvmSetUserMemoryRegion2({ slot: 0, flags: 4, gpa: 0n, sizeBytes: 0n }),
    ],
    ['a path', '`path` must be a string', ({ addon }) => addon.System.open(3)],
    ['a size', uint64('sizeBytes'), ({ addon }) => addon.UserMemory.map(4096)],
  ];
  test.for(cases)('%s is a TypeError: %s', async ([, message, call], context) => {
    const on = await scripted(context);
    const { calls } = on.script();
    const error = await rejection(call(on));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(message);
    expect(calls()).toEqual([]);
  });
});

describe('a value out of range is a RangeError', () => {
  const cases: readonly Case[] = [
    ['negative', uint32('id'), ({ vm }) => vm.kvmCreateVcpu(-1)],
    ['a fraction', uint32('id'), ({ vm }) => vm.kvmCreateVcpu(0.5)],
    ['NaN', uint32('id'), ({ vm }) => vm.kvmCreateVcpu(Number.NaN)],
    ['too large', uint32('id'), ({ vm }) => vm.kvmCreateVcpu(2 ** 32)],
    ['infinite', uint32('ids[0]'), ({ vm }) => vm.kvmCreateVcpus([Number.POSITIVE_INFINITY])],
    ['negative for 64 bits', uint64('initialRcx'), ({ vcpu }) => vcpu.tdxInitVcpu(-1n)],
    ['too large for 64 bits', uint64('initialRcx'), ({ vcpu }) => vcpu.tdxInitVcpu(2n ** 64n)],
    [
      'too many arguments',
      '`args` must be an array of at most 4 elements',
      ({ vm }) => vm.kvmEnableCap({ capability: 1, args: [1n, 2n, 3n, 4n, 5n] }),
    ],
    [
      'too many CPUID entries',
      '`cpuid` must be an array of at most 512 elements',
      ({ vm }) => vm.tdxInitVm({ ...initVm, cpuid: makeEntries(513) }),
    ],
    [
      'an identity of another length',
      '`mrConfigId` must have 48 bytes, not 47',
      ({ vm }) => vm.tdxInitVm({ ...initVm, mrConfigId: zeros(47) }),
    ],
    [
      'memory of no size',
      '`sizeBytes` must be a multiple of 4096n above 0n',
      ({ addon }) => addon.UserMemory.map(0n),
    ],
    [
      'memory of a part of a page',
      '`sizeBytes` must be a multiple of 4096n above 0n',
      ({ addon }) => addon.UserMemory.map(4097n),
    ],
    [
      'a path with a null character',
      '`path` must not contain a null character',
      ({ addon }) => addon.System.open('/dev/kvm\0.txt'),
    ],
  ];
  test.for(cases)('%s is a RangeError: %s', async ([, message, call], context) => {
    const on = await scripted(context);
    const { calls } = on.script();
    const error = await rejection(call(on));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe(message);
    expect(calls()).toEqual([]);
  });

  test('chunks of no pages are refused', async (context) => {
    const { addon, vcpu } = await scripted(context);
    const source = await addon.UserMemory.map(4096n);
    const error = await rejection(
      vcpu.tdxInitMemRegion({ source, sourceOffsetBytes: 0n, gpa: 0n, pages: 1, chunkPages: 0 }),
    );
    expect(error.message).toBe('`chunkPages` must be an integer from 1 to 4294967295');
    await source.close();
  });

  test('a slot or a source outside its memory is refused', async (context) => {
    const { addon, vm, vcpu } = await scripted(context);
    const memory = await addon.UserMemory.map(0x4000n);
    const slot = { slot: 0, gpa: 0n, memory };
    for (const [sizeBytes, memoryOffsetBytes] of [
      [0x5000n, 0n],
      [0x1000n, 0x4000n],
      [0x1000n, 2n ** 64n - 0x1000n],
      [2n ** 64n - 1n, 1n],
    ] as const) {
      const region = { ...slot, sizeBytes, memoryOffsetBytes };
      const error = await rejection(vm.kvmSetUserMemoryRegion(region));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe(
        `\`memory\` has 16384 bytes: ${sizeBytes} bytes at ${memoryOffsetBytes} are outside`,
      );
    }
    const region = { source: memory, sourceOffsetBytes: 0n, gpa: 0n, pages: 5 };
    expect((await rejection(vcpu.tdxInitMemRegion(region))).message).toBe(
      '`source` has 16384 bytes: 20480 bytes at 0 are outside',
    );
    await memory.close();
  });
});

test('what a getter of the caller throws comes out, and no call is made', async (context) => {
  const { vm, script } = await scripted(context);
  const { calls } = script();
  const oops = new Error('oops');
  const cap = {
    get capability(): number {
      throw oops;
    },
  };
  await expect(vm.kvmEnableCap(cap)).rejects.toBe(oops);
  expect(calls()).toEqual([]);
});

test('no constructor can be called', (context) => {
  const addon = requireAddon(context);
  for (const name of ['System', 'Vm', 'Vcpu', 'GuestMemfd', 'UserMemory'] as const) {
    const Class = addon[name] as unknown as new (...args: unknown[]) => unknown;
    expect(() => new Class()).toThrow(`${name} has no public constructor: use `);
    expect(() => new Class({})).toThrow(TypeError);
    expect(() => Reflect.construct(Class, [], Object)).toThrow(TypeError);
  }
});

test('a method on a wrong this is refused', async (context) => {
  const { addon, system, vm } = await scripted(context);
  for (const wrong of [system, {}, Object.create(vm), undefined, 1]) {
    expect(() => vm.kvmCreateIrqchip.call(wrong as never)).toThrow('Illegal invocation');
  }
  const memory = await addon.UserMemory.map(4096n);
  expect(() => memory.read.call(vm as never, 0n, 1)).toThrow('Illegal invocation');
  await memory.close();
});

test('memory is never read or written outside, whatever the offset and the length', async (context) => {
  const addon = requireAddon(context);
  const sizeBytes = 0x2000n;
  const memory = await addon.UserMemory.map(sizeBytes);
  const near = fc.bigInt({ min: -2n, max: sizeBytes + 2n });
  fc.assert(
    fc.property(
      fc.oneof(near, fc.bigInt(-(2n ** 65n), 2n ** 65n)),
      fc.nat(0x2004),
      (at, length) => {
        const isInside = at >= 0n && at + BigInt(length) <= sizeBytes;
        if (isInside) {
          const bytes = new Uint8Array(length).fill(length);
          memory.write(at, bytes);
          expect(memory.read(at, length)).toEqual(bytes);
        } else {
          expect(() => memory.write(at, zeros(length))).toThrow(RangeError);
          expect(() => memory.read(at, length)).toThrow(RangeError);
        }
      },
    ),
  );
  await memory.close();
});

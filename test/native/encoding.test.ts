/** What each method hands the kernel, byte for byte. Sizes and offsets: native/uapi/kvm.h. */
import { describe, expect, test } from 'vitest';
import { ioctlNumbers, tdxCommands } from '../../src/abi/kvm/requests.ts';
import {
  concat,
  entryBytes,
  makeEntries,
  requireAddon,
  type Scripted,
  scripted,
  u32,
  u64,
  zeros,
} from './support.ts';

const TDX = ioctlNumbers.KVM_MEMORY_ENCRYPT_OP;

describe('arguments by value', () => {
  type ByValue = readonly [keyof typeof ioctlNumbers, number, (on: Scripted) => Promise<unknown>];
  const calls: readonly ByValue[] = [
    ['KVM_GET_API_VERSION', 0, ({ system }) => system.kvmGetApiVersion()],
    ['KVM_GET_VCPU_MMAP_SIZE', 0, ({ system }) => system.kvmGetVcpuMmapSize()],
    ['KVM_CHECK_EXTENSION', 66, ({ system }) => system.kvmCheckExtension(66)],
    ['KVM_CHECK_EXTENSION', 235, ({ vm }) => vm.kvmCheckExtension(235)],
    ['KVM_CREATE_IRQCHIP', 0, ({ vm }) => vm.kvmCreateIrqchip()],
    ['KVM_SET_TSC_KHZ', 1_500_000, ({ vm }) => vm.kvmSetTscKhz(1_500_000)],
    ['KVM_SET_TSC_KHZ', 0xffff_ffff, ({ vcpu }) => vcpu.kvmSetTscKhz(0xffff_ffff)],
  ];
  test.for(calls)('%s hands over %i by value', async ([name, value, call], context) => {
    const on = await scripted(context);
    const script = on.script({ request: ioctlNumbers[name] });
    await call(on);
    expect(script.calls()).toMatchObject([
      { expected: true, request: ioctlNumbers[name], value: BigInt(value), argument: zeros(0) },
    ]);
  });

  test('a number that the kernel returns is what the promise gives', async (context) => {
    const { system, vm, script } = await scripted(context);
    script(
      { request: ioctlNumbers.KVM_GET_API_VERSION, returns: 12 },
      { request: ioctlNumbers.KVM_GET_VCPU_MMAP_SIZE, returns: 12288 },
      { request: ioctlNumbers.KVM_CHECK_EXTENSION, returns: 0x7fff_ffff },
    );
    expect(await system.kvmGetApiVersion()).toBe(12);
    expect(await system.kvmGetVcpuMmapSize()).toBe(12288);
    expect(await vm.kvmCheckExtension(66)).toBe(0x7fff_ffff);
  });

  test('each call goes to the fd of its own object', async (context) => {
    const { system, vm, vcpu, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_GET_API_VERSION },
      { request: ioctlNumbers.KVM_CREATE_IRQCHIP },
      { request: ioctlNumbers.KVM_SET_TSC_KHZ },
    );
    await system.kvmGetApiVersion();
    await vm.kvmCreateIrqchip();
    await vcpu.kvmSetTscKhz(1);
    expect(calls().map(({ fd }) => fd)).toEqual([system.fd, vm.fd, vcpu.fd]);
  });
});

describe('objects made by the kernel', () => {
  test('KVM_CREATE_VM hands over the type', async (context) => {
    const { system, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_CREATE_VM, returns: 'fd' });
    const vm = await system.kvmCreateVm(5);
    expect(calls()).toMatchObject([{ value: 5n, argument: zeros(0) }]);
    expect(vm.fd).toBeGreaterThan(2);
    await vm.close();
  });

  test('KVM_CREATE_VCPU hands over each id in order, and the vCPU remembers it', async (context) => {
    const { vm, script } = await scripted(context);
    const request = ioctlNumbers.KVM_CREATE_VCPU;
    const { calls } = script(...[7, 0, 4095].map(() => ({ request, returns: 'fd' as const })));
    const vcpus = await vm.kvmCreateVcpus([7, 0, 4095]);
    expect(calls().map(({ value }) => value)).toEqual([7n, 0n, 4095n]);
    expect(vcpus.map(({ id }) => id)).toEqual([7, 0, 4095]);
    await Promise.all(vcpus.map((vcpu) => vcpu.close()));
  });

  test('KVM_CREATE_GUEST_MEMFD hands over size and flags, and the object remembers the size', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'fd' });
    const memory = await vm.kvmCreateGuestMemfd({ sizeBytes: 0x1_2345_6000n, flags: 3n });
    expect(calls()[0]?.argument).toEqual(concat(u64(0x1_2345_6000n, 3n), zeros(48)));
    expect(memory.sizeBytes).toBe(0x1_2345_6000n);
    await memory.close();
  });
});

describe('structs', () => {
  test('KVM_ENABLE_CAP: arguments that are left out are 0', async (context) => {
    const { vm, script } = await scripted(context);
    const request = ioctlNumbers.KVM_ENABLE_CAP;
    const { calls } = script({ request }, { request }, { request });
    await vm.kvmEnableCap({ capability: 121, args: [24n] });
    await vm.kvmEnableCap({ capability: 128, args: [1n, 2n, 3n, 2n ** 64n - 1n] });
    await vm.kvmEnableCap({ capability: 129, flags: 0x8000_0001 });
    expect(calls().map(({ argument }) => argument)).toEqual([
      concat(u32(121, 0), u64(24n, 0n, 0n, 0n), zeros(64)),
      concat(u32(128, 0), u64(1n, 2n, 3n, 2n ** 64n - 1n), zeros(64)),
      concat(u32(129, 0x8000_0001), u64(0n, 0n, 0n, 0n), zeros(64)),
    ]);
  });

  test('KVM_SET_USER_MEMORY_REGION points into the memory at its offset', async (context) => {
    const { addon, vm, script } = await scripted(context);
    const request = ioctlNumbers.KVM_SET_USER_MEMORY_REGION;
    const { calls } = script({ request }, { request });
    const memory = await addon.UserMemory.map(0x4000n);
    await vm.kvmSetUserMemoryRegion({
      slot: 5,
      flags: 2,
      gpa: 0xffff_c000n,
      sizeBytes: 0x2000n,
      memory,
      memoryOffsetBytes: 0x1000n,
    });
    await vm.kvmSetUserMemoryRegion({ slot: 5, gpa: 0n, sizeBytes: 0n });
    expect(calls().map(({ argument }) => argument)).toEqual([
      concat(u32(5, 2), u64(0xffff_c000n, 0x2000n, memory.address + 0x1000n)),
      concat(u32(5, 0), u64(0n, 0n, 0n)),
    ]);
    await memory.close();
  });

  test('KVM_SET_USER_MEMORY_REGION2 with and without a guest_memfd', async (context) => {
    const { addon, vm, script } = await scripted(context);
    const request = ioctlNumbers.KVM_SET_USER_MEMORY_REGION2;
    const { calls } = script(
      { request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'fd' },
      { request },
      { request },
    );
    const memory = await addon.UserMemory.map(0x4000n);
    const guestMemfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 0x8000n });
    await vm.kvmSetUserMemoryRegion2({
      slot: 1,
      gpa: 0x1_0000_0000n,
      sizeBytes: 0x4000n,
      memory,
      guestMemfd,
      guestMemfdOffsetBytes: 0x3000n,
    });
    await vm.kvmSetUserMemoryRegion2({ slot: 2, flags: 1, gpa: 0n, sizeBytes: 0x1000n, memory });
    expect(calls().map(({ argument }) => argument)).toEqual([
      concat(u64(0x8000n, 0n), zeros(48)),
      concat(
        u32(1, 4),
        u64(0x1_0000_0000n, 0x4000n, memory.address, 0x3000n),
        u32(guestMemfd.fd, 0),
        zeros(112),
      ),
      concat(u32(2, 1), u64(0n, 0x1000n, memory.address, 0n), u32(0, 0), zeros(112)),
    ]);
    await Promise.all([memory.close(), guestMemfd.close()]);
  });

  test('KVM_SET_MEMORY_ATTRIBUTES holds address, size and attributes, and no flags', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({ request: ioctlNumbers.KVM_SET_MEMORY_ATTRIBUTES });
    await vm.kvmSetMemoryAttributes({ gpa: 2n ** 51n, sizeBytes: 0x5000n, attributes: 8n });
    expect(calls()[0]?.argument).toEqual(u64(2n ** 51n, 0x5000n, 8n, 0n));
  });

  test('KVM_SET_MEMORY_ATTRIBUTES2 holds offset, size and attributes, and zeros else', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script(
      { request: ioctlNumbers.KVM_CREATE_GUEST_MEMFD, returns: 'fd' },
      { request: ioctlNumbers.KVM_SET_MEMORY_ATTRIBUTES2 },
    );
    const memfd = await vm.kvmCreateGuestMemfd({ sizeBytes: 0x10000n });
    const range = { offsetBytes: 0x3000n, sizeBytes: 0x5000n, attributes: 8n };
    await memfd.kvmSetMemoryAttributes2(range);
    expect(calls()[1]?.argument).toEqual(concat(u64(0x3000n, 0x5000n, 8n, 0n), zeros(96)));
    await memfd.close();
  });

  test('KVM_SET_CPUID2: the header counts the entries that follow', async (context) => {
    const { vcpu, script } = await scripted(context);
    const request = ioctlNumbers.KVM_SET_CPUID2;
    const { calls } = script({ request }, { request }, { request });
    for (const count of [0, 3, 256]) await vcpu.kvmSetCpuid2(makeEntries(count));
    expect(calls().map(({ argument }) => argument)).toEqual(
      [0, 3, 256].map((count) => concat(u32(count, 0), ...makeEntries(count).map(entryBytes))),
    );
  });

  test('KVM_GET_SUPPORTED_CPUID asks with empty entries and gives those written', async (context) => {
    const { system, script } = await scripted(context);
    const { calls } = script({
      request: ioctlNumbers.KVM_GET_SUPPORTED_CPUID,
      argument: concat(u32(5, 0), ...makeEntries(5).map(entryBytes)),
    });
    expect(await system.kvmGetSupportedCpuid()).toEqual(makeEntries(5));
    expect(calls()[0]?.argument).toEqual(concat(u32(128, 0), zeros(128 * 40)));
  });
});

describe('TDX commands, in the envelope KVM_MEMORY_ENCRYPT_OP', () => {
  /** `struct kvm_tdx_cmd` up to `data`, which is an address in most commands. */
  const head = (id: number, flags = 0) => u32(id, flags);
  const noError = u64(0n);

  test('KVM_TDX_CAPABILITIES asks with room for 128 leaves, and gives those written', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({
      request: TDX,
      data: concat(
        u64(0x1000_0000n, 0xe7n, 1n, 2n, 3n, 4n),
        zeros(2000),
        u32(2, 0),
        ...makeEntries(2).map(entryBytes),
      ),
    });
    expect(await vm.tdxCapabilities()).toEqual({
      supportedAttributes: 0x1000_0000n,
      supportedXfam: 0xe7n,
      kernelTdvmcallInfo1R11: 1n,
      userTdvmcallInfo1R11: 2n,
      kernelTdvmcallInfo1R12: 3n,
      userTdvmcallInfo1R12: 4n,
      configurableCpuid: makeEntries(2),
    });
    const [call] = calls();
    expect(call?.argument.slice(0, 8)).toEqual(head(tdxCommands.KVM_TDX_CAPABILITIES));
    expect(call?.argument.slice(16)).toEqual(noError);
    expect(call?.data).toEqual(concat(zeros(2048), u32(128, 0), zeros(128 * 40)));
  });

  test('KVM_TDX_INIT_VM holds every field at its place, views of buffers too', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({ request: TDX });
    await vm.tdxInitVm({
      attributes: 0x1000_0000n,
      xfam: 2n ** 63n + 3n,
      mrConfigId: new Uint8Array(48).fill(1),
      // A view in the middle of a larger buffer.
      mrOwner: new Uint8Array(new ArrayBuffer(64), 8, 48).fill(2),
      mrOwnerConfig: Buffer.alloc(48, 3),
      cpuid: makeEntries(4),
    });
    const [call] = calls();
    expect(call?.argument.slice(0, 8)).toEqual(head(tdxCommands.KVM_TDX_INIT_VM));
    expect(call?.argument.slice(16)).toEqual(noError);
    expect(call?.data).toEqual(
      concat(
        u64(0x1000_0000n, 2n ** 63n + 3n),
        new Uint8Array(48).fill(1),
        new Uint8Array(48).fill(2),
        new Uint8Array(48).fill(3),
        zeros(96),
        u32(4, 0),
        ...makeEntries(4).map(entryBytes),
      ),
    );
  });

  test('KVM_TDX_FINALIZE_VM and KVM_TDX_TERMINATE_VM have no data', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script({ request: TDX }, { request: TDX });
    await vm.tdxFinalizeVm();
    await vm.tdxTerminateVm();
    expect(calls().map(({ argument }) => argument)).toEqual([
      concat(u32(tdxCommands.KVM_TDX_FINALIZE_VM, 0), u64(0n, 0n)),
      concat(u32(tdxCommands.KVM_TDX_TERMINATE_VM, 0), u64(0n, 0n)),
    ]);
  });

  test('KVM_TDX_INIT_VCPU: data is the value of RCX itself', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script({ request: TDX });
    await vcpu.tdxInitVcpu(0xfedc_ba98_7654_3210n);
    expect(calls()[0]).toMatchObject({
      fd: vcpu.fd,
      argument: concat(u32(tdxCommands.KVM_TDX_INIT_VCPU, 0), u64(0xfedc_ba98_7654_3210n, 0n)),
      data: zeros(0),
    });
  });

  test('KVM_TDX_INIT_MEM_REGION points into the source at its offset', async (context) => {
    const { addon, vcpu, script } = await scripted(context);
    const source = await addon.UserMemory.map(0x8000n);
    const { calls } = script({ request: TDX, data: u64(0n, 0n, 0n) });
    await vcpu.tdxInitMemRegion({
      source,
      sourceOffsetBytes: 0x2000n,
      gpa: 0xffc8_4000n,
      pages: 6,
      flags: 1,
    });
    const [call] = calls();
    expect(call?.argument.slice(0, 8)).toEqual(head(tdxCommands.KVM_TDX_INIT_MEM_REGION, 1));
    expect(call?.argument.slice(16)).toEqual(noError);
    expect(call?.data).toEqual(u64(source.address + 0x2000n, 0xffc8_4000n, 6n));
    await source.close();
  });

  test('KVM_TDX_GET_CPUID asks with room for 128 leaves, and gives those written', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script({
      request: TDX,
      data: concat(u32(1, 0), ...makeEntries(1).map(entryBytes)),
    });
    expect(await vcpu.tdxGetCpuid()).toEqual(makeEntries(1));
    const [call] = calls();
    expect(call?.argument.slice(0, 8)).toEqual(head(tdxCommands.KVM_TDX_GET_CPUID));
    expect(call?.data).toEqual(concat(u32(128, 0), zeros(128 * 40)));
  });
});

test('user memory starts as zeros and gives back what was written', async (context) => {
  const addon = requireAddon(context);
  const memory = await addon.UserMemory.map(0x3000n);
  expect(memory.sizeBytes).toBe(0x3000n);
  expect(memory.address % 4096n).toBe(0n);
  memory.write(0x1ffen, Uint8Array.of(1, 2, 3, 4));
  expect(memory.read(0x1ffcn, 8)).toEqual(Uint8Array.of(0, 0, 1, 2, 3, 4, 0, 0));
  expect(memory.read(0x3000n, 0)).toEqual(zeros(0));
  await memory.close();
});

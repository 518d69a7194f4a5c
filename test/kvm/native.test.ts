/** The addon against the real /dev/kvm, for what plain KVM can do and how it refuses TDX. */
import { accessSync, constants } from 'node:fs';
import { beforeEach, describe, expect, type TestContext, test } from 'vitest';
import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { isMapped, openFds, rejection, requireAddon, zeros } from '../native/support.ts';

/** An open /dev/kvm and a default VM, or a skip that says why not. */
async function openKvm(context: TestContext) {
  const addon = requireAddon(context);
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
  const before = openFds();
  const system = await addon.System.open();
  const vm = await system.kvmCreateVm(vmTypes.KVM_X86_DEFAULT_VM);
  context.onTestFinished(async () => {
    await Promise.all([vm.close(), system.close()]);
    expect(openFds()).toEqual(before);
    expect(addon.leakedFds()).toBe(0);
  });
  return { addon, system, vm };
}

/** A skip where the host has TDX: the refusals below are those of a host without. */
async function requireNoTdx(context: TestContext) {
  const kvm = await openKvm(context);
  const types = await kvm.system.kvmCheckExtension(capabilities.KVM_CAP_VM_TYPES);
  if (types & (1 << vmTypes.KVM_X86_TDX_VM)) context.skip('this host offers TDX');
  return kvm;
}

/** Finalizers of other tests must not close fds between two looks at /proc. */
beforeEach(() => new Promise((resolve) => setImmediate(resolve)));

describe('/dev/kvm', () => {
  test('speaks API version 12', async (context) => {
    const { system } = await openKvm(context);
    expect(await system.kvmGetApiVersion()).toBe(12);
  });

  test('gives a kvm_run area of whole pages', async (context) => {
    const { system } = await openKvm(context);
    const bytes = await system.kvmGetVcpuMmapSize();
    expect(bytes).toBeGreaterThan(0);
    expect(bytes % 4096).toBe(0);
  });

  test('answers an unknown capability with 0, on the system and on a VM', async (context) => {
    const { system, vm } = await openKvm(context);
    expect(await system.kvmCheckExtension(1_000_000)).toBe(0);
    expect(await vm.kvmCheckExtension(1_000_000)).toBe(0);
    expect(await system.kvmCheckExtension(capabilities.KVM_CAP_MAX_VCPUS)).toBeGreaterThan(0);
  });

  test('lists its CPUID leaves, which a vCPU takes back', async (context) => {
    const { system, vm } = await openKvm(context);
    const entries = await system.kvmGetSupportedCpuid();
    expect(entries.length).toBeGreaterThan(10);
    expect(entries[0]?.function).toBe(0);
    const vcpu = await vm.kvmCreateVcpu(0);
    await vcpu.kvmSetCpuid2(entries);
    await vcpu.close();
  });
});

describe('the CPUID that KVM lists follows the rules of the simulator, whoever made the CPU:', () => {
  test('features, topology and sizes', async (context) => {
    const { system } = await openKvm(context);
    const entries = await system.kvmGetSupportedCpuid();
    const leaf = (number: number, index = 0) =>
      entries.find((entry) => entry.function === number && entry.index === index);
    const bits = (value: number | undefined, ...numbers: number[]) =>
      numbers.filter((number) => (((value ?? 0) >>> number) & 1) === 1);
    // X2APIC, TSC_DEADLINE_TIMER, HYPERVISOR; not MONITOR, DS_CPL, SMX, EST, TM2, OSXSAVE
    expect(bits(leaf(1)?.ecx, 21, 24, 31)).toEqual([21, 24, 31]);
    expect(bits(leaf(1)?.ecx, 3, 4, 6, 7, 8, 27)).toEqual([]);
    expect(bits(leaf(1)?.edx, 18, 22, 28, 29, 31)).toEqual([]);
    // TSC_ADJUST; not OSPKE, PCONFIG, ARCH_LBR
    expect(bits(leaf(7)?.ebx, 1)).toEqual([1]);
    expect(bits(leaf(7)?.ecx, 4)).toEqual([]);
    expect(bits(leaf(7)?.edx, 18, 19)).toEqual([]);
    for (const topology of [0xb, 0x1f]) {
      const levels = entries.filter((entry) => entry.function === topology);
      expect(levels.length).toBeLessThanOrEqual(1);
      for (const level of levels) expect(level).toMatchObject({ eax: 0, ebx: 0, ecx: 0 });
    }
    const state = leaf(0xd);
    if (state !== undefined) expect(state.ebx).toBe(state.ecx);
    expect(leaf(0x4000_0000)).toMatchObject({ ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d });
    expect(bits(leaf(0x4000_0001)?.eax, 7, 24)).toEqual([7, 24]);
    const width = leaf(0x8000_0008)?.eax ?? 0;
    expect((width >>> 16) & 0xff).toBeLessThanOrEqual(width & 0xff);
  });

  test('an index counts where a leaf has subleaves', async (context) => {
    const { system } = await openKvm(context);
    const entries = await system.kvmGetSupportedCpuid();
    for (const { function: leaf, index, flags } of entries) {
      if (index > 0) expect([leaf, flags]).toEqual([leaf, 1]);
    }
  });
});

describe('vCPUs', () => {
  test('get fds of their own, gone after close', async (context) => {
    const { vm } = await openKvm(context);
    const vcpus = await vm.kvmCreateVcpus([0, 1, 2, 3]);
    const fds = openFds();
    expect(vcpus.map(({ fd }) => fds.get(fd))).toEqual(
      [0, 1, 2, 3].map((id) => `anon_inode:kvm-vcpu:${id}`),
    );
    await Promise.all(vcpus.map((vcpu) => vcpu.close()));
  });

  test('with an id that exists are refused with EEXIST', async (context) => {
    const { vm } = await openKvm(context);
    const vcpu = await vm.kvmCreateVcpu(7);
    expect(await rejection(vm.kvmCreateVcpu(7))).toMatchObject({
      request: 'KVM_CREATE_VCPU',
      code: 'EEXIST',
    });
    await vcpu.close();
  });

  test('of which one is refused are all closed', async (context) => {
    const { vm } = await openKvm(context);
    const before = openFds();
    const error = await rejection(vm.kvmCreateVcpus([0, 1, 2, 1]));
    expect(error).toMatchObject({ code: 'EEXIST', id: 1 });
    expect(openFds()).toEqual(before);
  });

  test('above the highest id are refused with EINVAL', async (context) => {
    const { vm } = await openKvm(context);
    const maxIds = await vm.kvmCheckExtension(capabilities.KVM_CAP_MAX_VCPU_ID);
    expect(await rejection(vm.kvmCreateVcpu(maxIds))).toMatchObject({ code: 'EINVAL' });
  });

  test('obey KVM_CAP_MAX_VCPU_ID', async (context) => {
    const { vm } = await openKvm(context);
    await vm.kvmEnableCap({ capability: capabilities.KVM_CAP_MAX_VCPU_ID, args: [2n] });
    const vcpu = await vm.kvmCreateVcpu(1);
    expect(await rejection(vm.kvmCreateVcpu(2))).toMatchObject({ code: 'EINVAL' });
    await vcpu.close();
  });
});

describe('interrupt controllers', () => {
  test('are either in the kernel or split', async (context) => {
    const { vm } = await openKvm(context);
    await vm.kvmEnableCap({ capability: capabilities.KVM_CAP_SPLIT_IRQCHIP, args: [24n] });
    expect(await rejection(vm.kvmCreateIrqchip())).toMatchObject({ code: 'EEXIST' });
  });

  test('in the kernel can be made once', async (context) => {
    const { vm } = await openKvm(context);
    await vm.kvmCreateIrqchip();
    expect(await rejection(vm.kvmCreateIrqchip())).toMatchObject({ code: 'EEXIST' });
  });
});

test('KVM_ENABLE_CAP refuses an unknown capability with EINVAL', async (context) => {
  const { vm } = await openKvm(context);
  expect(await rejection(vm.kvmEnableCap({ capability: 1_000_000 }))).toMatchObject({
    request: 'KVM_ENABLE_CAP',
    code: 'EINVAL',
  });
});

test('the frequency of a VM without vCPUs can be set where the CPU scales it', async (context) => {
  const { vm } = await openKvm(context);
  if ((await vm.kvmCheckExtension(capabilities.KVM_CAP_VM_TSC_CONTROL)) === 0) {
    context.skip('this host has no KVM_CAP_VM_TSC_CONTROL');
  }
  await vm.kvmSetTscKhz(1_000_000);
  const vcpu = await vm.kvmCreateVcpu(0);
  expect(await rejection(vm.kvmSetTscKhz(1_000_000))).toMatchObject({ code: 'EINVAL' });
  await vcpu.kvmSetTscKhz(1_000_000);
  await vcpu.close();
});

describe('memory slots', () => {
  const slot = { slot: 0, gpa: 0x10_0000n, sizeBytes: 0x20_0000n };

  test('are set, found overlapping (EEXIST), and deleted with size 0', async (context) => {
    const { addon, vm } = await openKvm(context);
    const memory = await addon.UserMemory.map(0x40_0000n);
    await vm.kvmSetUserMemoryRegion({ ...slot, memory });
    const overlapping = { ...slot, slot: 1, memory, memoryOffsetBytes: 0x20_0000n };
    expect(await rejection(vm.kvmSetUserMemoryRegion(overlapping))).toMatchObject({
      request: 'KVM_SET_USER_MEMORY_REGION',
      code: 'EEXIST',
    });
    await vm.kvmSetUserMemoryRegion({ ...slot, sizeBytes: 0n });
    await vm.kvmSetUserMemoryRegion(overlapping);
    await memory.close();
  });

  test('keep their memory mapped after it was closed', async (context) => {
    const { addon, vm } = await openKvm(context);
    const sizeBytes = 2n ** 30n;
    const memory = await addon.UserMemory.map(sizeBytes);
    await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes, memory });
    await memory.close();
    expect(isMapped(memory.address + sizeBytes / 2n)).toBe(true);
    await vm.close();
    expect(isMapped(memory.address + sizeBytes / 2n)).toBe(false);
  });

  test('that are not of whole pages are refused with EINVAL', async (context) => {
    const { addon, vm } = await openKvm(context);
    const memory = await addon.UserMemory.map(0x2000n);
    const unaligned = { slot: 0, gpa: 0n, sizeBytes: 0x1001n, memory };
    expect(await rejection(vm.kvmSetUserMemoryRegion(unaligned))).toMatchObject({ code: 'EINVAL' });
    await memory.close();
  });

  test('can be set by KVM_SET_USER_MEMORY_REGION2 where the kernel has it', async (context) => {
    const { addon, vm } = await openKvm(context);
    if ((await vm.kvmCheckExtension(capabilities.KVM_CAP_USER_MEMORY2)) === 0) {
      context.skip('this host has no KVM_CAP_USER_MEMORY2');
    }
    const memory = await addon.UserMemory.map(0x20_0000n);
    memory.write(0x1000n, zeros(16).fill(0xaa));
    await vm.kvmSetUserMemoryRegion2({ ...slot, memory });
    await vm.kvmSetUserMemoryRegion2({ ...slot, sizeBytes: 0n });
    await memory.close();
  });
});

describe('guest_memfd', () => {
  async function requireGuestMemfd(context: TestContext) {
    const kvm = await openKvm(context);
    if ((await kvm.vm.kvmCheckExtension(capabilities.KVM_CAP_GUEST_MEMFD)) === 0) {
      context.skip('this host has no KVM_CAP_GUEST_MEMFD');
    }
    return kvm;
  }

  test('is made, close-on-exec, and gone after close', async (context) => {
    const { vm } = await requireGuestMemfd(context);
    const before = openFds();
    const memory = await vm.kvmCreateGuestMemfd({ sizeBytes: 0x20_0000n });
    expect(openFds().get(memory.fd)).toMatch(/^(\/\[kvm-gmem\]|anon_inode:\[?kvm-gmem\]?)/);
    const { readFileSync } = await import('node:fs');
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${memory.fd}`, 'utf8'));
    const O_CLOEXEC = 0o2000000;
    expect(Number.parseInt(flags?.[1] ?? '0', 8) & O_CLOEXEC).toBe(O_CLOEXEC);
    await memory.close();
    expect(openFds()).toEqual(before);
  });

  test('of a part of a page is refused with EINVAL', async (context) => {
    const { vm } = await requireGuestMemfd(context);
    expect(await rejection(vm.kvmCreateGuestMemfd({ sizeBytes: 4097n }))).toMatchObject({
      request: 'KVM_CREATE_GUEST_MEMFD',
      code: 'EINVAL',
    });
  });
});

describe('without TDX', () => {
  test('KVM_X86_TDX_VM is refused with EINVAL', async (context) => {
    const { system } = await requireNoTdx(context);
    expect(await rejection(system.kvmCreateVm(vmTypes.KVM_X86_TDX_VM))).toMatchObject({
      request: 'KVM_CREATE_VM',
      code: 'EINVAL',
    });
  });

  test('every TDX command is refused, and none has a TDX status', async (context) => {
    const { vm } = await requireNoTdx(context);
    const vcpu = await vm.kvmCreateVcpu(0);
    const identity = zeros(48);
    const errors = [
      await rejection(vm.tdxCapabilities()),
      await rejection(
        vm.tdxInitVm({
          attributes: 0n,
          xfam: 3n,
          mrConfigId: identity,
          mrOwner: identity,
          mrOwnerConfig: identity,
          cpuid: [],
        }),
      ),
      await rejection(vm.tdxFinalizeVm()),
      await rejection(vm.tdxTerminateVm()),
    ];
    expect(errors.map(({ request, code }) => `${request} ${code}`)).toEqual([
      'KVM_TDX_CAPABILITIES ENOTTY',
      'KVM_TDX_INIT_VM ENOTTY',
      'KVM_TDX_FINALIZE_VM ENOTTY',
      'KVM_TDX_TERMINATE_VM ENOTTY',
    ]);
    // On a vCPU of a VM that is no TD the errno depends on the vendor module.
    expect(await rejection(vcpu.tdxInitVcpu(0n))).toMatchObject({ request: 'KVM_TDX_INIT_VCPU' });
    expect(await rejection(vcpu.tdxGetCpuid())).toMatchObject({ request: 'KVM_TDX_GET_CPUID' });
    for (const error of errors) expect(error).not.toHaveProperty('hwStatus');
    await vcpu.close();
  });

  test('private memory is refused on a default VM', async (context) => {
    const { vm } = await requireNoTdx(context);
    const range = { gpa: 0n, sizeBytes: 0x1000n, attributes: 8n };
    expect(await rejection(vm.kvmSetMemoryAttributes(range))).toMatchObject({
      request: 'KVM_SET_MEMORY_ATTRIBUTES',
    });
  });
});

test('VM, vCPU and memory can be closed in any order and all at once', async (context) => {
  const { addon, system } = await openKvm(context);
  const before = openFds();
  for (let round = 0; round < 5; round += 1) {
    const vm = await system.kvmCreateVm(vmTypes.KVM_X86_DEFAULT_VM);
    const vcpus = await vm.kvmCreateVcpus([0, 1, 2, 3]);
    const memory = await addon.UserMemory.map(0x10_0000n);
    await vm.kvmSetUserMemoryRegion({ slot: 0, gpa: 0n, sizeBytes: 0x10_0000n, memory });
    const objects = [vm, memory, ...vcpus];
    const order = round % 2 === 0 ? objects : objects.reverse();
    await Promise.all(order.map((object) => object.close()));
  }
  expect(openFds()).toEqual(before);
});

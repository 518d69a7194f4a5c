/** How refusals of the kernel come out, and what is tried again before they do. */
import { describe, expect, test } from 'vitest';
import { errnoName, errnos } from '../../src/abi/errno.ts';
import { errnoNumbers } from '../../src/abi/kvm/errno.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import {
  concat,
  entryBytes,
  makeEntries,
  openFds,
  rejection,
  requireAddon,
  scripted,
  u32,
  u64,
  zeros,
} from './support.ts';

const TDX = ioctlNumbers.KVM_MEMORY_ENCRYPT_OP;
const initVm = {
  attributes: 0n,
  xfam: 3n,
  mrConfigId: zeros(48),
  mrOwner: zeros(48),
  mrOwnerConfig: zeros(48),
  cpuid: [],
};
/** A command written back with hw_error set. */
const withStatus = (status: bigint) => concat(zeros(16), u64(status));

describe('a refusal', () => {
  test('carries request, errno, code and syscall', async (context) => {
    const { vm, script } = await scripted(context);
    script({ request: ioctlNumbers.KVM_CREATE_VCPU, errno: errnoNumbers.EEXIST });
    const error = await rejection(vm.kvmCreateVcpu(0));
    expect(error).toBeInstanceOf(Error);
    expect({ ...error }).toEqual({
      syscall: 'ioctl',
      request: 'KVM_CREATE_VCPU',
      errno: 17,
      code: 'EEXIST',
    });
    expect(error.message).toBe('KVM_CREATE_VCPU: EEXIST');
  });

  test('names every errno of Linux as src/abi does', async (context) => {
    const { vm, script } = await scripted(context);
    const numbers = [...Object.values(errnos), 4095];
    script(...numbers.map((errno) => ({ request: ioctlNumbers.KVM_CREATE_IRQCHIP, errno })));
    for (const errno of numbers) {
      expect((await rejection(vm.kvmCreateIrqchip())).code).toBe(errnoName(errno));
    }
  });

  test('of a TDX command names the command, not the envelope', async (context) => {
    const { vm, vcpu, script } = await scripted(context);
    const refusal = { request: TDX, errno: errnoNumbers.EINVAL };
    script(...Array.from({ length: 6 }, () => refusal));
    const names = [];
    for (const call of [
      () => vm.tdxCapabilities(),
      () => vm.tdxInitVm(initVm),
      () => vm.tdxFinalizeVm(),
      () => vm.tdxTerminateVm(),
      () => vcpu.tdxInitVcpu(0n),
      () => vcpu.tdxGetCpuid(),
    ]) {
      names.push((await rejection(call())).request);
    }
    expect(names).toEqual([
      'KVM_TDX_CAPABILITIES',
      'KVM_TDX_INIT_VM',
      'KVM_TDX_FINALIZE_VM',
      'KVM_TDX_TERMINATE_VM',
      'KVM_TDX_INIT_VCPU',
      'KVM_TDX_GET_CPUID',
    ]);
  });

  test('of a file names the path', async (context) => {
    const addon = requireAddon(context);
    const error = await rejection(addon.System.open('/nowhere/kvm'));
    expect({ ...error }).toEqual({
      syscall: 'open',
      path: '/nowhere/kvm',
      errno: 2,
      code: 'ENOENT',
    });
  });

  test('of memory says how much was asked for', async (context) => {
    const addon = requireAddon(context);
    const error = await rejection(addon.UserMemory.map(2n ** 63n));
    expect(error).toMatchObject({ syscall: 'mmap', code: 'ENOMEM' });
    expect(error.message).toBe('mmap of 9223372036854775808 bytes: ENOMEM');
  });
});

describe('the status of the TDX module', () => {
  test('is shown where the kernel wrote one back', async (context) => {
    const { vm, script } = await scripted(context);
    script({
      request: TDX,
      errno: errnoNumbers.EINVAL,
      argument: withStatus(0xc000_0100_0000_0008n),
    });
    const error = await rejection(vm.tdxInitVm(initVm));
    expect(error).toMatchObject({ code: 'EINVAL', hwStatus: 0xc000_0100_0000_0008n });
    expect(error.message).toBe('KVM_TDX_INIT_VM: EINVAL (TDX status 0xC000010000000008)');
  });

  test('is absent where the kernel wrote none', async (context) => {
    const { vm, script } = await scripted(context);
    script({ request: TDX, errno: errnoNumbers.EBUSY, argument: withStatus(0n) });
    expect(await rejection(vm.tdxFinalizeVm())).not.toHaveProperty('hwStatus');
  });

  test('is not handed back in with the next command', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script(
      { request: TDX, errno: errnoNumbers.EBUSY, argument: withStatus(7n) },
      { request: TDX },
    );
    await rejection(vm.tdxFinalizeVm());
    await vm.tdxFinalizeVm();
    expect(calls()[1]?.argument.slice(16)).toEqual(u64(0n));
  });
});

describe('E2BIG', () => {
  const tooBig = errnoNumbers.E2BIG;

  test('of KVM_TDX_CAPABILITIES doubles the room, as the needed count is not told', async (context) => {
    const { vm, script } = await scripted(context);
    const { calls } = script(
      { request: TDX, errno: tooBig },
      { request: TDX, errno: tooBig },
      { request: TDX, data: concat(zeros(2048), u32(1, 0), ...makeEntries(1).map(entryBytes)) },
    );
    expect((await vm.tdxCapabilities()).configurableCpuid).toEqual(makeEntries(1));
    expect(calls().map(({ data }) => data.length)).toEqual(
      [128, 256, 512].map((room) => 2056 + 40 * room),
    );
  });

  test('of KVM_TDX_GET_CPUID makes as much room as the kernel asked for', async (context) => {
    const { vcpu, script } = await scripted(context);
    const { calls } = script(
      { request: TDX, errno: tooBig, data: u32(201) },
      { request: TDX, data: concat(u32(201, 0), ...makeEntries(201).map(entryBytes)) },
    );
    expect(await vcpu.tdxGetCpuid()).toEqual(makeEntries(201));
    expect(calls().map(({ data }) => data.length)).toEqual([8 + 40 * 128, 8 + 40 * 201]);
  });

  test('of KVM_GET_SUPPORTED_CPUID doubles the room', async (context) => {
    const { system, script } = await scripted(context);
    const request = ioctlNumbers.KVM_GET_SUPPORTED_CPUID;
    const { calls } = script({ request, errno: tooBig }, { request, argument: u32(0) });
    expect(await system.kvmGetSupportedCpuid()).toEqual([]);
    expect(calls().map(({ argument }) => argument.length)).toEqual([8 + 40 * 128, 8 + 40 * 256]);
  });

  test('without end comes out as E2BIG', async (context) => {
    const { vm, vcpu, script } = await scripted(context);
    const refusals = Array.from({ length: 4 }, () => ({ request: TDX, errno: tooBig }));
    const { calls } = script(...refusals, { request: TDX, errno: tooBig, data: u32(0xffff_ffff) });
    expect((await rejection(vm.tdxCapabilities())).code).toBe('E2BIG');
    expect(calls()).toHaveLength(4);
    expect((await rejection(vcpu.tdxGetCpuid())).code).toBe('E2BIG');
    expect(calls()).toHaveLength(5);
  });

  test('a count larger than the room is not believed', async (context) => {
    const { vcpu, script } = await scripted(context);
    script({ request: TDX, data: u32(0xffff_ffff) });
    expect(await vcpu.tdxGetCpuid()).toHaveLength(128);
  });
});

test('KVM_CREATE_VM is asked again after EINTR', async (context) => {
  const { system, script } = await scripted(context);
  const request = ioctlNumbers.KVM_CREATE_VM;
  const { calls } = script(
    { request, errno: errnoNumbers.EINTR },
    { request, errno: errnoNumbers.EINTR },
    { request, returns: 'fd' },
  );
  const vm = await system.kvmCreateVm(5);
  expect(calls()).toHaveLength(3);
  await vm.close();
});

test('when one vCPU of many is refused, those made before it are closed', async (context) => {
  const { addon, vm, script } = await scripted(context);
  const request = ioctlNumbers.KVM_CREATE_VCPU;
  const before = openFds();
  script(
    { request, returns: 'fd' },
    { request, returns: 'fd' },
    { request, errno: errnoNumbers.EINVAL },
  );
  const error = await rejection(vm.kvmCreateVcpus([10, 11, 12, 13]));
  expect(error).toMatchObject({ request: 'KVM_CREATE_VCPU', code: 'EINVAL', id: 12 });
  expect(openFds()).toEqual(before);
  expect(addon.leakedFds()).toBe(0);
});

test('a request that the script does not expect is answered ENOSYS and marked', async (context) => {
  const { vm, script } = await scripted(context);
  const { calls } = script({ request: ioctlNumbers.KVM_CREATE_VCPU });
  expect((await rejection(vm.kvmCreateIrqchip())).code).toBe('ENOSYS');
  expect(calls()).toMatchObject([{ expected: false, request: ioctlNumbers.KVM_CREATE_IRQCHIP }]);
});

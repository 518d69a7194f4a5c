import { describe, expect, test } from 'vitest';
import { guestMemorySharing } from '../../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import {
  type Caller,
  type PreFaultMemoryStruct,
  type Request,
  StructValue,
} from '../../../../src/simulator/index.ts';
import { abisWhere } from '../../abi/abis.ts';
import { Driver } from '../../drive.ts';
import { page, ramGpa } from '../../structs.ts';

describe.each(abisWhere())('KVM_PRE_FAULT_MEMORY (%s)', (kernelAbi) => {
  const td = (finalized: boolean) => {
    const driver = new Driver({ kernelAbi });
    const { vm, vcpus } = finalized ? driver.runnableTd() : driver.builtTd();
    const range = (change: Partial<PreFaultMemoryStruct>) =>
      new StructValue({ gpa: ramGpa, size: page, flags: 0n, ...change });
    const ask = (struct: StructValue<PreFaultMemoryStruct>) =>
      driver.call(vcpus[0] as number, { request: 'KVM_PRE_FAULT_MEMORY', range: struct });
    return { driver, vm, range, ask };
  };

  test('a pending signal is EINTR, before the state of the TD is looked at', () => {
    const { driver, range, ask } = td(false);
    driver.signal = 'ordinary';
    expect(ask(range({}))).toBe('EINTR');
  });

  test('before FINALIZE it is EOPNOTSUPP, also for a shared address; after it that is EINVAL', () => {
    const shared = { gpa: 1n << 47n };
    const before = td(false);
    expect(before.ask(before.range(shared))).toBe('EOPNOTSUPP');
    const after = td(true);
    expect(after.ask(after.range(shared))).toBe('EINVAL');
  });

  test('maps pages with TDH.MEM.PAGE.AUG, and those are given back', () => {
    const { driver, range, ask } = td(true);
    const calls = driver.record();
    const struct = range({ size: 3n * page });
    expect(ask(struct)).toBe(0);
    expect(struct.value).toMatchObject({ gpa: ramGpa + 3n * page, size: 0n });
    expect(calls.filter((call) => call === 'TDH.MEM.PAGE.AUG')).toHaveLength(3);
    expect(ask(range({ size: 3n * page }))).toBe(0);
    expect(calls.filter((call) => call === 'TDH.MEM.PAGE.AUG')).toHaveLength(3);
  });

  test('a page that the module is busy with is tried again', () => {
    const { driver, range, ask } = td(true);
    const busyOnce = statusWord('TDX_OPERAND_BUSY', 'RCX');
    driver.failLeaf('TDH.MEM.PAGE.AUG', (nth) => (nth === 0 ? busyOnce : undefined));
    const calls = driver.record();
    expect(ask(range({}))).toBe(0);
    expect(calls.filter((call) => call === 'TDH.MEM.PAGE.AUG')).toHaveLength(2);
  });

  test('a page that the module is busy with for ever ends as by a signal', () => {
    const { driver, range, ask } = td(true);
    driver.failLeaf('TDH.MEM.PAGE.AUG', () => statusWord('TDX_OPERAND_BUSY', 'RCX'));
    expect(ask(range({}))).toBe('EINTR');
  });

  test('succeeds when at least one page was mapped, and is written back in any case', () => {
    const { range, ask } = td(true);
    const half = range({ gpa: ramGpa + 15n * page, size: 3n * page });
    expect(ask(half)).toBe(0);
    expect(half.value.size).toBe(2n * page);
    expect(ask(half)).toBe('ENOENT');
    expect(half.value.size).toBe(2n * page);
  });
});

describe('KVM_SET_BOOT_CPU_ID', () => {
  const boot = (driver: Driver, vm: number, id: number) =>
    driver.call(vm, { request: 'KVM_SET_BOOT_CPU_ID', id });

  test('above KVM_MAX_VCPU_IDS, or above MAX_VCPU_ID when that is set: EINVAL', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    expect([boot(driver, vm, 4097), boot(driver, vm, 4096)]).toEqual(['EINVAL', 0]);
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 8n)).toBe('EINVAL');
    expect(boot(driver, vm, 3)).toBe(0);
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 8n)).toBe(0);
    expect(boot(driver, vm, 9)).toBe('EINVAL');
  });

  test('with a vCPU it is EBUSY, also for a wild id', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    driver.createVcpu(vm, 0);
    expect(boot(driver, vm, 99_999)).toBe('EBUSY');
  });

  test('that vCPU does not wait for an INIT; the others do', async () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    boot(driver, vm, 5);
    const vcpu = driver.createVcpu(vm, 5) as number;
    expect(await driver.run(vcpu).result).toBe('EINVAL');
    const other = driver.createVcpu(vm, 0) as number;
    const blocked = driver.run(other);
    blocked.cancel();
    expect(await blocked.result).toBe('EINTR');
  });
});

describe.each(abisWhere())('undo of a call whose answer reached nobody (%s)', (kernelAbi) => {
  const caller: Caller = {
    mm: 1,
    cgroup: '/',
    memory: { read: () => undefined },
    pendingSignal: () => 'none',
  };
  const undone = (driver: Driver, handle: number, request: Request) => {
    const before = driver.machine.snapshot();
    const answer = driver.machine.ioctl(caller, handle, request);
    expect(answer.ok).toBe(true);
    driver.machine.undo(answer);
    const after = driver.machine.snapshot();
    expect({ ...after, clock: before.clock, cgroups: [] }).toEqual({ ...before, cgroups: [] });
  };

  test('KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_CREATE_GUEST_MEMFD: nothing of it is left', () => {
    const driver = new Driver({ kernelAbi });
    undone(driver, driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });
    const { vm, guestMemfd } = driver.builtTd();
    undone(driver, vm, { request: 'KVM_CREATE_VCPU', id: 1 });
    const create = new StructValue({ size: page, flags: 0n });
    undone(driver, vm, { request: 'KVM_CREATE_GUEST_MEMFD', create });
    if (guestMemorySharing(driver.machine.kernelAbi) !== 'link') return;
    const link = new StructValue({ guestMemfd, flags: 0n });
    undone(driver, driver.createTd(), { request: 'KVM_LINK_GUEST_MEMFD', link });
  });

  test('the same call can be made again', () => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.initializedTd();
    const request = { request: 'KVM_CREATE_VCPU', id: 0 } as const;
    driver.machine.undo(driver.machine.ioctl(caller, vm, request));
    expect(driver.createVcpu(vm, 0)).toBeTypeOf('number');
  });

  test('a refusal, and a call that makes no handle, need none', () => {
    const driver = new Driver({ kernelAbi });
    const { vm } = driver.builtTd();
    const before = driver.machine.snapshot();
    driver.machine.undo({ ok: true, value: vm });
    driver.machine.undo(driver.machine.ioctl(caller, vm, { request: 'KVM_CREATE_VCPU', id: 0 }));
    expect({ ...driver.machine.snapshot(), clock: before.clock }).toEqual(before);
  });
});

/** Small requests: device attributes, statistics, addresses, CPUID, unknown ioctls. */
import { describe, expect, test } from 'vitest';
import { capabilities } from '../../../src/abi/kvm/capabilities.ts';
import {
  CpuidValue,
  type DeviceAttrRequest,
  StructValue,
  type VfioFileFact,
} from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import { x2apicLeaf } from '../structs.ts';
import { FileValue, faultyAt } from '../values.ts';

describe('device attributes', () => {
  const ask = (
    on: 'system' | 'vcpu' | 'vm',
    request: DeviceAttrRequest['request'],
    attr = {},
    value = new StructValue(0n),
  ) => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const handles = { system: driver.kvm, vm, vcpu: driver.createVcpu(vm, 0) as number };
    const asked = new StructValue({ flags: 0, group: 0, attr: 0n, ...attr });
    const answer = driver.call(handles[on], { request, attr: asked, value });
    return { answer, value: value.value };
  };

  test('XCOMP_GUEST_SUPP is XCR0 of the host, AMX and all', () => {
    expect(ask('system', 'KVM_GET_DEVICE_ATTR')).toEqual({ answer: 0, value: 0x602e7n });
    expect(ask('system', 'KVM_HAS_DEVICE_ATTR').answer).toBe(0);
  });

  test.each([
    ['system', 'KVM_SET_DEVICE_ATTR', 'EINVAL'],
    ['vm', 'KVM_HAS_DEVICE_ATTR', 'ENOTTY'],
    ['vcpu', 'KVM_HAS_DEVICE_ATTR', 0],
    ['vcpu', 'KVM_SET_DEVICE_ATTR', 0],
  ] as const)('%s: %s of the one attribute', (on, request, answer) => {
    expect(ask(on, request).answer).toBe(answer);
  });

  test('the value is touched only where the attribute is there', () => {
    const unwritable = faultyAt(new StructValue(0n), 'write');
    expect(ask('system', 'KVM_GET_DEVICE_ATTR', { attr: 1n }, unwritable).answer).toBe('ENXIO');
    const unreadable = faultyAt(new StructValue(0n), 'read');
    expect(ask('vcpu', 'KVM_SET_DEVICE_ATTR', { attr: 1n }, unreadable).answer).toBe('ENXIO');
  });

  test('a default VM keeps the TSC offset that it is given, a TD its own', () => {
    const driver = new Driver();
    for (const [vm, kept] of [
      [driver.createVm('KVM_X86_DEFAULT_VM'), 5n],
      [driver.initializedTd(), 0n],
    ] as const) {
      const vcpu = driver.createVcpu(vm, 0) as number;
      const attr = new StructValue({ flags: 0, group: 0, attr: 0n });
      driver.call(vcpu, { request: 'KVM_SET_DEVICE_ATTR', attr, value: new StructValue(5n) });
      const value = new StructValue(99n);
      driver.call(vcpu, { request: 'KVM_GET_DEVICE_ATTR', attr, value });
      expect(value.value).toBe(kept);
    }
  });
});

describe('statistics', () => {
  test('their files keep a VM alive, and answer no ioctl', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const vcpu = driver.createVcpu(vm, 0) as number;
    const files = [vm, vcpu].map((handle) => driver.must(handle, { request: 'KVM_GET_STATS_FD' }));
    driver.release(vm, vcpu);
    expect(driver.machine.snapshot().keySlots.assigned).toBe(1);
    expect(driver.createVcpu(files[0] as number, 1)).toBe('ENOTTY');
    driver.release(...files);
    expect(driver.machine.snapshot()).toMatchObject({ vms: [], keySlots: { assigned: 0 } });
  });

  test('one whose fd reached nobody is undone', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    const value = driver.must(vm, { request: 'KVM_GET_STATS_FD' });
    driver.machine.undo({ ok: true, value, made: { kind: 'stats', handle: value, sizeBytes: 0n } });
    expect(driver.machine.snapshot().vms[0]?.references).toBe(1);
  });
});

describe('addresses that real mode and shadow paging need', () => {
  test.each(['KVM_X86_DEFAULT_VM', 'KVM_X86_TDX_VM'] as const)('they can be set for %s', (type) => {
    const driver = new Driver();
    const vm = driver.createVm(type);
    const tss = (addr: bigint) => driver.call(vm, { request: 'KVM_SET_TSS_ADDR', addr });
    expect([tss(0xffff_d000n), tss(0xffff_d001n)]).toEqual([0, 'EINVAL']);
    const mmuPages = (pages: bigint) => driver.call(vm, { request: 'KVM_SET_NR_MMU_PAGES', pages });
    expect([mmuPages(63n), mmuPages(64n)]).toEqual(['EINVAL', 0]);
    const addr = new StructValue(0xfeff_c000n);
    expect(driver.call(vm, { request: 'KVM_SET_IDENTITY_MAP_ADDR', addr })).toBe(0);
    const unreadable = faultyAt(addr, 'read');
    expect(driver.call(vm, { request: 'KVM_SET_IDENTITY_MAP_ADDR', addr: unreadable })).toBe(
      'EFAULT',
    );
  });

  test('the identity map stays once there is a vCPU, whatever the pointer', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    driver.createVcpu(vm, 0);
    const addr = faultyAt(new StructValue(0n), 'read');
    expect(driver.call(vm, { request: 'KVM_SET_IDENTITY_MAP_ADDR', addr })).toBe('EINVAL');
  });
});

describe('what only SEV and other hosts have', () => {
  test('pinning memory: EFAULT, then ENOTTY', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    for (const request of [
      'KVM_MEMORY_ENCRYPT_REG_REGION',
      'KVM_MEMORY_ENCRYPT_UNREG_REGION',
    ] as const) {
      const region = new StructValue({ addr: 0n, size: 0n });
      expect(driver.call(vm, { request, region })).toBe('ENOTTY');
      expect(driver.call(vm, { request, region: faultyAt(region, 'read') })).toBe('EFAULT');
    }
  });

  test('KVM_CREATE_DEVICE knows the device of VFIO, which a VM has once', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    const make = (type: number, flags = 0) => {
      const fd = new FileValue();
      const create = new StructValue({ type, fd: 0, flags });
      return { answer: driver.call(vm, { request: 'KVM_CREATE_DEVICE', create, fd }), fd };
    };
    expect([make(99), make(4, 1)].map(({ answer }) => answer)).toEqual(['ENODEV', 0]);
    const { answer, fd } = make(4);
    expect(answer).toBe(0);
    expect([make(4), make(4, 1)].map((again) => again.answer)).toEqual(['EBUSY', 0]);
    const { handle } = fd.made ?? { handle: 0 };
    driver.release(vm);
    expect(driver.machine.snapshot().vms[0]).toMatchObject({ fdOpen: false, references: 1 });
    driver.release(handle);
    expect(driver.machine.snapshot()).toMatchObject({ vms: [], handles: 1 });
  });

  test('the device of VFIO has attributes that are only set, and takes no other file', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    const fd = new FileValue();
    const create = new StructValue({ type: 4, fd: 0, flags: 0 });
    driver.must(vm, { request: 'KVM_CREATE_DEVICE', create, fd });
    const device = fd.made?.handle ?? 0;
    const ask = (verb: 'SET' | 'GET' | 'HAS', attr: bigint, file: VfioFileFact = 'not open') =>
      driver.call(device, {
        request: `KVM_${verb}_DEVICE_ATTR`,
        attr: new StructValue({ flags: 0, group: 1, attr }),
        value: new StructValue(0n),
        file: new StructValue(file),
      });
    expect([ask('HAS', 1n), ask('HAS', 2n), ask('HAS', 3n)]).toEqual([0, 0, 'ENXIO']);
    expect([ask('GET', 1n), ask('SET', 3n), ask('SET', 1n)]).toEqual(['EPERM', 'ENXIO', 'EBADF']);
    const other = [ask('SET', 1n, 'another file'), ask('SET', 2n, 'another file')];
    expect(other).toEqual(['EINVAL', 'ENOENT']);
    expect(driver.call(device, { request: 'KVM_GET_TSC_KHZ' })).toBe('ENOTTY');
    driver.mm = 2;
    expect(ask('HAS', 1n)).toBe('EIO');
  });
});

describe('CPUID', () => {
  test('what KVM emulates wants room for one entry more than it has', () => {
    const driver = new Driver();
    const ask = (cpuid: CpuidValue) =>
      driver.call(driver.kvm, { request: 'KVM_GET_EMULATED_CPUID', cpuid });
    expect([ask(new CpuidValue(0)), ask(new CpuidValue(3))]).toEqual(['E2BIG', 'E2BIG']);
    const cpuid = new CpuidValue(4);
    expect(ask(cpuid)).toBe(0);
    expect(cpuid.entries.map((entry) => entry.function)).toEqual([0, 1, 7]);
  });

  test('a vCPU shows what it was given; too little room is E2BIG', () => {
    const driver = new Driver();
    const vcpu = driver.createVcpu(driver.initializedTd(), 0) as number;
    const get = (cpuid: CpuidValue) => driver.call(vcpu, { request: 'KVM_GET_CPUID2', cpuid });
    expect(get(new CpuidValue(0))).toBe(0);
    driver.setCpuid2(vcpu);
    expect(get(new CpuidValue(0))).toBe('E2BIG');
    const cpuid = new CpuidValue(9);
    expect(get(cpuid)).toBe(0);
    // KVM shows the APIC that is switched on.
    const shown = { ...x2apicLeaf, edx: 1 << 9 };
    expect([cpuid.nent, cpuid.entries]).toEqual([1, [shown]]);
  });

  test('MCE capabilities: those of a CPU with local machine checks', () => {
    const driver = new Driver();
    const mceCap = new StructValue(0n);
    expect(driver.call(driver.kvm, { request: 'KVM_X86_GET_MCE_CAP_SUPPORTED', mceCap })).toBe(0);
    expect(mceCap.value).toBe(0x900_0500n);
  });
});

describe('KVM_ENABLE_CAP on a vCPU', () => {
  test.each([
    ['KVM_CAP_ENFORCE_PV_FEATURE_CPUID', 1n, 0],
    ['KVM_CAP_HYPERV_ENFORCE_CPUID', 1n, 0],
    ['KVM_CAP_HYPERV_SYNIC', 0n, 0],
    ['KVM_CAP_HYPERV_SYNIC2', 1n, 'EINVAL'],
    ['KVM_CAP_SPLIT_IRQCHIP', 24n, 'EINVAL'],
  ] as const)('KVM_ENABLE_CAP of %s(%i) on a vCPU is answered %s', (name, arg, answer) => {
    const driver = new Driver();
    const vcpu = driver.createVcpu(driver.initializedTd(), 0) as number;
    expect(driver.cap(vcpu, name, arg)).toBe(answer);
  });

  test('faults and flags come first', () => {
    const driver = new Driver();
    const vcpu = driver.createVcpu(driver.initializedTd(), 0) as number;
    const cap = { cap: capabilities.KVM_CAP_ENFORCE_PV_FEATURE_CPUID, flags: 1, args: [] };
    const struct = new StructValue(cap);
    expect(driver.call(vcpu, { request: 'KVM_ENABLE_CAP', cap: struct })).toBe('EINVAL');
    const unreadable = faultyAt(struct, 'read');
    expect(driver.call(vcpu, { request: 'KVM_ENABLE_CAP', cap: unreadable })).toBe('EFAULT');
  });
});

describe('an ioctl that nobody decodes', () => {
  test('has the errno of its kind of file, after another process and a dead VM', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    const stats = driver.must(vm, { request: 'KVM_GET_STATS_FD' });
    const ask = (handle: number) =>
      driver.call(handle, { request: 'unknown ioctl', number: 0xaeff });
    const files = [driver.kvm, vm, vcpus[0] as number, guestMemfd, stats];
    expect(files.map(ask)).toEqual(['EINVAL', 'ENOTTY', 'EINVAL', 'ENOTTY', 'ENOTTY']);
    driver.mm = 2;
    expect(files.map(ask)).toEqual(['EINVAL', 'EIO', 'EIO', 'ENOTTY', 'ENOTTY']);
  });
});

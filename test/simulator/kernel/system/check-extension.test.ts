import { describe, expect, test } from 'vitest';
import { type CapabilityName, capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { Driver } from '../../drive.ts';

/** KVM_CHECK_EXTENSION on spr-1.5, where every optional feature is there and 224 CPUs are present. */
const rows: readonly [CapabilityName, number, number, number][] = [
  ['KVM_CAP_NR_VCPUS', 224, 224, 224],
  ['KVM_CAP_NR_MEMSLOTS', 32764, 32764, 32764],
  ['KVM_CAP_IRQ_ROUTING', 4096, 4096, 4096],
  ['KVM_CAP_TSC_CONTROL', 1, 1, 1],
  ['KVM_CAP_VM_TSC_CONTROL', 1, 1, 1],
  ['KVM_CAP_MAX_VCPUS', 1024, 1024, 224],
  ['KVM_CAP_SYNC_REGS', 7, 7, 0],
  ['KVM_CAP_READONLY_MEM', 1, 1, 0],
  ['KVM_CAP_ENABLE_CAP', 1, 1, 1],
  ['KVM_CAP_DEVICE_CTRL', 1, 1, 1],
  ['KVM_CAP_ENABLE_CAP_VM', 1, 1, 1],
  ['KVM_CAP_CHECK_EXTENSION_VM', 1, 1, 1],
  ['KVM_CAP_IRQFD', 1, 1, 1],
  ['KVM_CAP_X86_SMM', 1, 1, 0],
  ['KVM_CAP_MULTI_ADDRESS_SPACE', 2, 2, 1],
  ['KVM_CAP_SPLIT_IRQCHIP', 1, 1, 1],
  ['KVM_CAP_MAX_VCPU_ID', 4096, 4096, 4096],
  ['KVM_CAP_X2APIC_API', 15, 11, 11],
  ['KVM_CAP_X86_BUS_LOCK_EXIT', 3, 3, 3],
  ['KVM_CAP_VM_COPY_ENC_CONTEXT_FROM', 1, 1, 1],
  ['KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM', 1, 1, 1],
  ['KVM_CAP_EXIT_HYPERCALL', 0x1000, 0x1000, 0x1000],
  ['KVM_CAP_BINARY_STATS_FD', 1, 1, 1],
  ['KVM_CAP_SYSTEM_EVENT_DATA', 1, 1, 1],
  ['KVM_CAP_USER_MEMORY2', 1, 1, 1],
  ['KVM_CAP_MEMORY_FAULT_INFO', 1, 1, 1],
  ['KVM_CAP_GUEST_MEMFD', 1, 1, 1],
  ['KVM_CAP_X86_GUEST_MODE', 1, 1, 1],
  ['KVM_CAP_PMU_CAPABILITY', 1, 1, 1],
  ['KVM_CAP_DISABLE_QUIRKS2', 0xfff, 0xfff, 0xfff],
  ['KVM_CAP_X86_NOTIFY_VMEXIT', 1, 1, 1],
  ['KVM_CAP_MEMORY_ATTRIBUTES', 8, 0, 8],
  ['KVM_CAP_VM_TYPES', 0x21, 0x21, 0x21],
  ['KVM_CAP_PRE_FAULT_MEMORY', 1, 1, 1],
  ['KVM_CAP_X86_APIC_BUS_CYCLES_NS', 1, 1, 1],
  ['KVM_CAP_GUEST_MEMFD_FLAGS', 3, 3, 1],
  // Beyond the reference's table.
  ['KVM_CAP_IMMEDIATE_EXIT', 1, 1, 1],
  ['KVM_CAP_COALESCED_MMIO', 2, 2, 2],
  ['KVM_CAP_MCE', 32, 32, 32],
  ['KVM_CAP_ADJUST_CLOCK', 14, 14, 14],
  ['KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 3, 3, 3],
  ['KVM_CAP_DIRTY_LOG_RING', 1048576, 1048576, 1048576],
  ['KVM_CAP_XSAVE2', 11008, 11008, 11008],
  ['KVM_CAP_NESTED_STATE', 8320, 8320, 8320],
  ['KVM_CAP_SET_GUEST_DEBUG2', 0x1f0003, 0x1f0003, 0x1f0003],
  ['KVM_CAP_X86_DISABLE_EXITS', 31, 31, 31],
  ['KVM_CAP_XEN_HVM', 0x1ff, 0x1ff, 0x1ff],
];

describe('KVM_CHECK_EXTENSION', () => {
  test.each(rows)('%s: %i on /dev/kvm, %i on a default VM, %i on a TD', (name, system, vm, td) => {
    const driver = new Driver();
    expect(driver.check(driver.kvm, name)).toBe(system);
    expect(driver.check(driver.createVm('KVM_X86_DEFAULT_VM'), name)).toBe(vm);
    expect(driver.check(driver.createVm(), name)).toBe(td);
  });

  test('every capability of the table but a posted one is there on /dev/kvm, under a number of its own', () => {
    const driver = new Driver();
    const names = Object.keys(capabilities) as CapabilityName[];
    expect(names.filter((name) => driver.check(driver.kvm, name) === 0)).toEqual([
      'KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES',
    ]);
    expect(new Set(Object.values(capabilities)).size).toBe(names.length);
  });

  test('a TD answers as a default VM does, but for seven', () => {
    const driver = new Driver();
    const [plain, td] = [driver.createVm('KVM_X86_DEFAULT_VM'), driver.createVm()];
    const names = Object.keys(capabilities) as CapabilityName[];
    expect(names.filter((name) => driver.check(plain, name) !== driver.check(td, name))).toEqual([
      'KVM_CAP_MAX_VCPUS',
      'KVM_CAP_SYNC_REGS',
      'KVM_CAP_READONLY_MEM',
      'KVM_CAP_X86_SMM',
      'KVM_CAP_MULTI_ADDRESS_SPACE',
      'KVM_CAP_MEMORY_ATTRIBUTES',
      'KVM_CAP_GUEST_MEMFD_FLAGS',
    ]);
  });

  test('X2APIC_API is 15 once the irqchip is split', () => {
    const driver = new Driver();
    for (const type of ['KVM_X86_DEFAULT_VM', 'KVM_X86_TDX_VM'] as const) {
      const vm = driver.createVm(type);
      driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
      expect(driver.check(vm, 'KVM_CAP_X2APIC_API')).toBe(15);
    }
  });

  test('what the CPUs do not have is 0', () => {
    const driver = new Driver({ profile: 'small-client' });
    expect(driver.check(driver.kvm, 'KVM_CAP_X86_BUS_LOCK_EXIT')).toBe(0);
    expect(driver.check(driver.kvm, 'KVM_CAP_X86_NOTIFY_VMEXIT')).toBe(0);
  });

  test('MAX_VCPUS of a TD is min(KVM_MAX_VCPUS, present CPUs), whatever the module takes', () => {
    const large = new Driver({ profile: 'gnr-2.0' });
    expect(large.check(large.createVm(), 'KVM_CAP_MAX_VCPUS')).toBe(688);
    const { profile } = large.machine;
    const few = new Driver({ profile: { ...profile, kvmMaxVcpus: 512 } });
    expect(few.check(few.createVm(), 'KVM_CAP_MAX_VCPUS')).toBe(512);
    expect(few.check(few.kvm, 'KVM_CAP_MAX_VCPU_ID')).toBe(2048);
  });

  test('an unknown capability is 0, and on a dead VM it is EIO', () => {
    const driver = new Driver();
    expect(driver.call(driver.kvm, { request: 'KVM_CHECK_EXTENSION', capability: 9999 })).toBe(0);
    const vm = driver.initializedTd();
    driver.finalizeVm(vm);
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe('EIO');
  });
});

describe('/dev/kvm', () => {
  test('GET_API_VERSION is 12 and GET_VCPU_MMAP_SIZE three pages', () => {
    const driver = new Driver();
    for (const [request, value] of [
      ['KVM_GET_API_VERSION', 12],
      ['KVM_GET_VCPU_MMAP_SIZE', 12288],
    ] as const) {
      expect(driver.call(driver.kvm, { request, arg: 0n })).toBe(value);
    }
  });

  test('CREATE_VM takes the types that VM_TYPES has, and nothing of the module', () => {
    const driver = new Driver();
    for (let type = 0; type < 40; type++) {
      const result = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type });
      if (type === 0 || type === 5) expect(result).toBeTypeOf('number');
      else expect(result).toBe('EINVAL');
    }
    expect(driver.machine.snapshot().hostPages.inUse).toBe(0);
  });

  test('an ioctl of another kind of file is EINVAL, ENOTTY on a VM, and EBADF after its close', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    expect(driver.createVcpu(driver.kvm, 0)).toBe('EINVAL');
    expect(driver.setCpuid2(vm)).toBe('ENOTTY');
    expect(driver.createVcpu(vcpus[0] as number, 1)).toBe('EINVAL');
    expect(driver.createVcpu(guestMemfd, 1)).toBe('ENOTTY');
    driver.release(vm);
    expect(driver.createVcpu(vm, 1)).toBe('EBADF');
  });
});

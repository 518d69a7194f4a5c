import { describe, expect, test } from 'vitest';
import { StructValue } from '../../../../src/simulator/index.ts';
import { spr15 } from '../../../../src/simulator/profiles/hosts/spr-1.5.ts';
import { Driver } from '../../drive.ts';
import { faulting } from '../../structs.ts';

function created(type: 'KVM_X86_TDX_VM' | 'KVM_X86_DEFAULT_VM' = 'KVM_X86_TDX_VM') {
  const driver = new Driver();
  return { driver, vm: driver.createVm(type) };
}

/** A TD with one vCPU. */
function withVcpu() {
  const driver = new Driver();
  const vm = driver.initializedTd();
  driver.newVcpu(vm, 0);
  return { driver, vm };
}

describe('KVM_ENABLE_CAP', () => {
  const splitIrqchip = { cap: 121, flags: 0, args: [24n] };

  test('an unreadable struct is EFAULT, flags are EINVAL', () => {
    const { driver, vm } = created();
    const enable = (cap: StructValue<typeof splitIrqchip>) =>
      driver.call(vm, { request: 'KVM_ENABLE_CAP', cap });
    const unreadable = faulting(new StructValue(splitIrqchip), 'read');
    expect(driver.call(vm, { request: 'KVM_ENABLE_CAP', cap: unreadable })).toBe('EFAULT');
    expect(enable(new StructValue({ ...splitIrqchip, flags: 1 }))).toBe('EINVAL');
    expect(enable(new StructValue(splitIrqchip))).toBe(0);
  });

  test.each([
    ['KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 3n, 0],
    ['KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 0n, 0],
    ['KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 2n, 'EINVAL'],
    ['KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 4n, 'EINVAL'],
    ['KVM_CAP_EXCEPTION_PAYLOAD', 77n, 0],
    ['KVM_CAP_X86_TRIPLE_FAULT_EVENT', 77n, 0],
    ['KVM_CAP_X86_USER_SPACE_MSR', 7n, 0],
    ['KVM_CAP_X86_USER_SPACE_MSR', 8n, 'EINVAL'],
    ['KVM_CAP_X86_DISABLE_EXITS', 31n, 0],
    ['KVM_CAP_X86_DISABLE_EXITS', 32n, 'EINVAL'],
    ['KVM_CAP_HALT_POLL', 0xffff_ffffn, 0],
    ['KVM_CAP_HALT_POLL', 0x1_0000_0000n, 'EINVAL'],
    ['KVM_CAP_EXIT_ON_EMULATION_FAILURE', 1n, 0],
    ['KVM_CAP_EXIT_ON_EMULATION_FAILURE', 2n, 'EINVAL'],
    ['KVM_CAP_MSR_PLATFORM_INFO', 5n, 0],
    ['KVM_CAP_DISABLE_QUIRKS', 0xffff_ffff_ffffn, 0],
    ['KVM_CAP_DISABLE_QUIRKS2', 0xffff_ffff_ffffn, 'EINVAL'],
    ['KVM_CAP_IRQFD', 1n, 'EINVAL'],
  ] as const)('KVM_ENABLE_CAP of %s(%i) on a VM is answered %s', (name, arg, answer) => {
    const { driver, vm } = created();
    expect(driver.cap(vm, name, arg)).toBe(answer);
  });

  test('X86_DISABLE_EXITS: not once there is a vCPU', () => {
    const { driver, vm } = withVcpu();
    expect(driver.cap(vm, 'KVM_CAP_X86_DISABLE_EXITS', 2n)).toBe('EINVAL');
  });

  test('DIRTY_LOG_RING: a power of two with room for what is reserved, once, before a vCPU', () => {
    const ring = (type: 'KVM_X86_TDX_VM' | 'KVM_X86_DEFAULT_VM', ...sizes: bigint[]) => {
      const { driver, vm } = created(type);
      return sizes.map((size) => driver.cap(vm, 'KVM_CAP_DIRTY_LOG_RING', size));
    };
    expect(ring('KVM_X86_DEFAULT_VM', 0n, 5000n, 8192n, 1n << 21n)).toEqual([
      'EINVAL',
      'EINVAL',
      'EINVAL',
      'E2BIG',
    ]);
    expect(ring('KVM_X86_DEFAULT_VM', 16384n, 16384n)).toEqual([0, 'EINVAL']);
    // The CPUs log no pages of a TD, so nothing is reserved for that.
    expect(ring('KVM_X86_TDX_VM', 2048n, 4096n)).toEqual(['EINVAL', 0]);
    const { driver, vm } = withVcpu();
    expect(driver.cap(vm, 'KVM_CAP_DIRTY_LOG_RING_ACQ_REL', 16384n)).toBe('EINVAL');
  });

  test('SPLIT_IRQCHIP: too many routes EINVAL, an irqchip or a vCPU EEXIST', () => {
    const { driver, vm } = created('KVM_X86_DEFAULT_VM');
    expect(driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 4097n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 4096n)).toBe(0);
    expect(driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n)).toBe('EEXIST');
    const other = driver.createVm('KVM_X86_DEFAULT_VM');
    driver.createVcpu(other, 0);
    expect(driver.cap(other, 'KVM_CAP_SPLIT_IRQCHIP', 24n)).toBe('EEXIST');
  });

  test('X2APIC_API: unknown bits, bits 2 and 3 together, bit 2 without a split irqchip: EINVAL', () => {
    const { driver, vm } = created();
    for (const bits of [0x10n, 0xcn, 0x4n]) {
      expect(driver.cap(vm, 'KVM_CAP_X2APIC_API', bits)).toBe('EINVAL');
    }
    expect(driver.cap(vm, 'KVM_CAP_X2APIC_API', 0xbn)).toBe(0);
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    expect(driver.cap(vm, 'KVM_CAP_X2APIC_API', 0x4n)).toBe(0);
  });

  test('EXIT_HYPERCALL: bits other than MAP_GPA_RANGE are EINVAL; any time else', () => {
    const { driver, vm } = withVcpu();
    expect(driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1001n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1000n)).toBe(0);
    expect(driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0n)).toBe(0);
  });

  test('MAX_VCPU_ID: above KVM_MAX_VCPU_IDS EINVAL; once set, only the same value again', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4097n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 8n)).toBe(0);
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 8n)).toBe(0);
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 9n)).toBe('EINVAL');
  });

  test('X86_APIC_BUS_CYCLES_NS: 0 or overflow EINVAL, then no irqchip ENXIO, then a vCPU EINVAL', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 0n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 1n << 40n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n)).toBe('ENXIO');
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    expect(driver.cap(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n)).toBe(0);
    expect(driver.check(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS')).toBe(40);
    const later = withVcpu();
    expect(later.driver.cap(later.vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n)).toBe('EINVAL');
  });

  test('MAX_VCPUS is EINVAL in every state', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPUS', 4n)).toBe('EINVAL');
    const later = withVcpu();
    expect(later.driver.cap(later.vm, 'KVM_CAP_MAX_VCPUS', 4n)).toBe('EINVAL');
  });

  test('VM_MOVE and VM_COPY_ENC_CONTEXT_FROM are EINVAL on Intel, though they report 1', () => {
    const { driver, vm } = created();
    for (const cap of [
      'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
      'KVM_CAP_VM_COPY_ENC_CONTEXT_FROM',
    ] as const) {
      expect(driver.check(vm, cap)).toBe(1);
      expect(driver.cap(vm, cap, BigInt(vm))).toBe('EINVAL');
    }
  });

  test('PMU_CAPABILITY: unknown bits EINVAL, a TD must ask for it to be off, a vCPU EINVAL', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_PMU_CAPABILITY', 2n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_PMU_CAPABILITY', 0n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_PMU_CAPABILITY', 1n)).toBe(0);
    const ordinary = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(driver.cap(ordinary, 'KVM_CAP_PMU_CAPABILITY', 0n)).toBe(0);
    driver.createVcpu(ordinary, 0);
    expect(driver.cap(ordinary, 'KVM_CAP_PMU_CAPABILITY', 1n)).toBe('EINVAL');
  });

  test('X86_BUS_LOCK_EXIT: unknown bits or both EINVAL; accepted without the hardware', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_X86_BUS_LOCK_EXIT', 4n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_BUS_LOCK_EXIT', 3n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_BUS_LOCK_EXIT', 2n)).toBe(0);
    const small = new Driver({ profile: 'small-client' });
    expect(small.cap(small.createVm(), 'KVM_CAP_X86_BUS_LOCK_EXIT', 2n)).toBe(0);
  });

  test('X86_NOTIFY_VMEXIT: unknown bits, no hardware, not enabled, a vCPU: EINVAL', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_X86_NOTIFY_VMEXIT', 4n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_NOTIFY_VMEXIT', 2n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_X86_NOTIFY_VMEXIT', (128n << 32n) | 1n)).toBe(0);
    const small = new Driver({ profile: 'small-client' });
    expect(small.cap(small.createVm(), 'KVM_CAP_X86_NOTIFY_VMEXIT', 1n)).toBe('EINVAL');
    const later = withVcpu();
    expect(later.driver.cap(later.vm, 'KVM_CAP_X86_NOTIFY_VMEXIT', 1n)).toBe('EINVAL');
  });

  test('DISABLE_QUIRKS2: bits above 11 are EINVAL', () => {
    const { driver, vm } = created();
    expect(driver.cap(vm, 'KVM_CAP_DISABLE_QUIRKS2', 0x1000n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_DISABLE_QUIRKS2', 0xfffn)).toBe(0);
  });

  test('KVM_ENABLE_CAP of an unknown capability is EINVAL', () => {
    const { driver, vm } = created();
    const cap = new StructValue({ cap: 9999, flags: 0, args: [] });
    expect(driver.call(vm, { request: 'KVM_ENABLE_CAP', cap })).toBe('EINVAL');
  });
});

describe('KVM_CREATE_IRQCHIP', () => {
  test('a TD is ENOTTY, and EEXIST once its irqchip is split', () => {
    const { driver, vm } = created();
    expect(driver.call(vm, { request: 'KVM_CREATE_IRQCHIP' })).toBe('ENOTTY');
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
    expect(driver.call(vm, { request: 'KVM_CREATE_IRQCHIP' })).toBe('EEXIST');
  });

  test('a default VM takes one, before its first vCPU', () => {
    const { driver, vm } = created('KVM_X86_DEFAULT_VM');
    expect(driver.call(vm, { request: 'KVM_CREATE_IRQCHIP' })).toBe(0);
    expect(driver.call(vm, { request: 'KVM_CREATE_IRQCHIP' })).toBe('EEXIST');
    const other = driver.createVm('KVM_X86_DEFAULT_VM');
    driver.createVcpu(other, 0);
    expect(driver.call(other, { request: 'KVM_CREATE_IRQCHIP' })).toBe('EINVAL');
  });
});

describe('KVM_SET_TSC_KHZ', () => {
  test("on the VM: above the largest clock EINVAL; 0 is the host's; with a vCPU EINVAL", () => {
    const { driver, vm } = created();
    expect(driver.setTscKhz(vm, 0x7fff_ffff)).toBe('EINVAL');
    expect(driver.setTscKhz(vm, 1_500_000)).toBe(0);
    expect(driver.setTscKhz(vm, 0)).toBe(0);
    const later = withVcpu();
    expect(later.driver.setTscKhz(later.vm, 0)).toBe('EINVAL');
  });

  test('on a TD vCPU: always EINVAL; on a default vCPU it is set', () => {
    const driver = new Driver();
    const tdVcpu = driver.newVcpu(driver.initializedTd(), 0);
    expect(driver.setTscKhz(tdVcpu, 0)).toBe('EINVAL');
    const vcpu = driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number;
    expect(driver.setTscKhz(vcpu, 1_500_000)).toBe(0);
    expect(driver.setTscKhz(vcpu, 0x7fff_ffff)).toBe('EINVAL');
  });

  test('without TSC scaling a default vCPU cannot be slower than the host', () => {
    const features = { ...spr15.platform.features, tscScaling: false };
    const driver = new Driver({ profile: { ...spr15, platform: { ...spr15.platform, features } } });
    const vcpu = driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number;
    expect(driver.setTscKhz(vcpu, 1_500_000)).toBe('EINVAL');
    expect(driver.setTscKhz(vcpu, 2_500_000)).toBe(0);
  });
});

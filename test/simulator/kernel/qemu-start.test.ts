/**
 * What QEMU 11.1 asks as it starts a TD, in its order (qemu -machine q35,confidential-guest-support
 * -cpu host -smp 4): nothing that it cannot do without is refused, and it is told what it needs.
 */
import { expect, test } from 'vitest';
import type { CapabilityName } from '../../../src/abi/kvm/capabilities.ts';
import { findEntry } from '../../../src/abi/kvm/cpuid.ts';
import { CpuidValue, StructValue } from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import { page, ramGpa, x2apicLeaf } from '../structs.ts';
import { emptyBitmaps, gsiRouting, MsrListValue, MsrsValue, msrFilter } from '../values.ts';

/** Those that it stops without, or that it works worse without. */
const required: readonly CapabilityName[] = [
  'KVM_CAP_IMMEDIATE_EXIT',
  'KVM_CAP_USER_MEMORY',
  'KVM_CAP_DESTROY_MEMORY_REGION_WORKS',
  'KVM_CAP_JOIN_MEMORY_REGIONS_WORKS',
  'KVM_CAP_INTERNAL_ERROR_DATA',
  'KVM_CAP_IOEVENTFD',
  'KVM_CAP_IOEVENTFD_ANY_LENGTH',
  'KVM_CAP_SET_TSS_ADDR',
  'KVM_CAP_EXT_CPUID',
  'KVM_CAP_MP_STATE',
  'KVM_CAP_SIGNAL_MSI',
  'KVM_CAP_DEBUGREGS',
  'KVM_CAP_XSAVE',
  'KVM_CAP_VCPU_EVENTS',
  'KVM_CAP_X86_ROBUST_SINGLESTEP',
  'KVM_CAP_MCE',
  'KVM_CAP_ADJUST_CLOCK',
  'KVM_CAP_SET_IDENTITY_MAP_ADDR',
  'KVM_CAP_XCRS',
  'KVM_CAP_SREGS2',
  'KVM_CAP_GET_MSR_FEATURES',
  'KVM_CAP_SYNC_MMU',
  'KVM_CAP_SYS_ATTRIBUTES',
  'KVM_CAP_TSC_DEADLINE_TIMER',
  'KVM_CAP_GET_TSC_KHZ',
  'KVM_CAP_KVMCLOCK_CTRL',
];

test('QEMU 11.1 starts a TD of four vCPUs', () => {
  const driver = new Driver();
  const { kvm } = driver;
  for (const name of required) expect(driver.check(kvm, name)).toBeGreaterThan(0);
  const vm = driver.createVm();
  expect(driver.cap(vm, 'KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 3n)).toBe(0);
  expect(driver.capabilities(vm)).toBe(0);
  expect(driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1000n)).toBe(0);
  expect(driver.cap(vm, 'KVM_CAP_EXCEPTION_PAYLOAD', 1n)).toBe(0);
  expect(driver.cap(vm, 'KVM_CAP_X86_TRIPLE_FAULT_EVENT', 1n)).toBe(0);
  for (const request of ['KVM_GET_MSR_INDEX_LIST', 'KVM_GET_MSR_FEATURE_INDEX_LIST'] as const) {
    const list = new MsrListValue(0);
    expect(driver.call(kvm, { request, list })).toBe('E2BIG');
    expect(driver.call(kvm, { request, list: new MsrListValue(list.count) })).toBe(0);
  }
  const addr = new StructValue(0xfeff_c000n);
  expect(driver.call(vm, { request: 'KVM_SET_IDENTITY_MAP_ADDR', addr })).toBe(0);
  expect(driver.call(vm, { request: 'KVM_SET_TSS_ADDR', addr: 0xfeff_d000n })).toBe(0);
  expect(driver.cap(vm, 'KVM_CAP_X86_USER_SPACE_MSR', 4n)).toBe(0);
  const filter = msrFilter(0, { flags: 1, nmsrs: 1, base: 0x35 });
  const bitmaps = emptyBitmaps;
  expect(driver.call(vm, { request: 'KVM_X86_SET_MSR_FILTER', filter, bitmaps })).toBe(0);
  expect(driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n)).toBe(0);
  const routing = gsiRouting(Array.from({ length: 24 }, (_, gsi) => ({ gsi })));
  expect(driver.call(vm, { request: 'KVM_SET_GSI_ROUTING', routing })).toBe(0);
  expect(driver.createGuestMemfd(vm)).toBeTypeOf('number');
  expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n)).toBe(0);

  // CPUID is doubled until it fits; its guest address width becomes the TD's GPAW.
  const cpuid = new CpuidValue(256);
  expect(driver.call(kvm, { request: 'KVM_GET_SUPPORTED_CPUID', cpuid })).toBe(0);
  expect([48, 52]).toContain(((findEntry(cpuid.entries, 0x8000_0008)?.eax ?? 0) >>> 16) & 0xff);
  // The XSAVE area that QEMU allocates holds all that CPUID speaks of.
  const xsave = findEntry(cpuid.entries, 0xd)?.ecx ?? 0;
  expect(driver.check(kvm, 'KVM_CAP_XSAVE2')).toBeGreaterThanOrEqual(xsave);
  const value = new StructValue(0n);
  const attr = new StructValue({ flags: 0, group: 0, attr: 0n });
  expect(driver.call(kvm, { request: 'KVM_GET_DEVICE_ATTR', attr, value })).toBe(0);
  const mceCap = new StructValue(0n);
  expect(driver.call(kvm, { request: 'KVM_X86_GET_MCE_CAP_SUPPORTED', mceCap })).toBe(0);
  expect(driver.call(kvm, { request: 'KVM_GET_MSRS', msrs: new MsrsValue([[0x10a]]) })).toBe(1);

  expect(driver.cap(vm, 'KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n)).toBe(0);
  expect(driver.setTscKhz(vm, 0)).toBe(0);
  expect(driver.initVm(vm)).toBe(0);
  const vcpus = [0, 1, 2, 3].map((id) => {
    const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id });
    expect(driver.getCpuid(vcpu)).toBe(0);
    expect(driver.call(vcpu, { request: 'KVM_GET_TSC_KHZ' })).toBe(2_000_000);
    // Ten banks, and what QEMU has of its own: all of it must be supported.
    const mcgCap = new StructValue(0x0100_010an);
    expect(mcgCap.value & ~(mceCap.value | 0xffn)).toBe(0n);
    expect(driver.call(vcpu, { request: 'KVM_X86_SETUP_MCE', mcgCap })).toBe(0);
    expect(driver.setCpuid2(vcpu, [x2apicLeaf])).toBe(0);
    const msrs = new MsrsValue([[0x8b, 1n << 32n]]);
    expect(driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs })).toBe(1);
    expect(driver.call(vcpu, { request: 'KVM_GET_STATS_FD' })).toBeTypeOf('number');
    return vcpu;
  });
  const clock = new StructValue({ clock: 0n, flags: 0, realtime: 0n, hostTsc: 0n });
  expect(driver.call(vm, { request: 'KVM_GET_CLOCK', clock })).toBe(0);
  const zone = new StructValue({ addr: 0x70n, size: 1, pio: 1 });
  expect(driver.call(vm, { request: 'KVM_REGISTER_COALESCED_MMIO', zone })).toBe(0);
  const line = new StructValue({ irq: 9, level: 0 });
  expect(driver.call(vm, { request: 'KVM_IRQ_LINE_STATUS', line })).toBe(0);
  for (const vcpu of vcpus) {
    const control = new StructValue({ enabled: 1, flags: 0 });
    expect(driver.call(vcpu, { request: 'KVM_TPR_ACCESS_REPORTING', control })).toBe(0);
    expect(driver.initVcpu(vcpu)).toBe(0);
  }
  expect(driver.finalizeVm(vm)).toBe(0);
  for (const vcpu of vcpus) {
    const address = new StructValue(0n);
    expect(driver.call(vcpu, { request: 'KVM_SET_VAPIC_ADDR', address })).toBe(0);
    // QEMU takes this one for an old guest.
    expect(driver.call(vcpu, { request: 'KVM_KVMCLOCK_CTRL' })).toBe('EINVAL');
  }
  expect(driver.call(vm, { request: 'KVM_SET_CLOCK', clock })).toBe(0);
});

test('a page of RAM is converted and asked for again', () => {
  const driver = new Driver();
  const { vm, vcpus } = driver.runnableTd();
  expect(driver.setPrivate(vm, ramGpa, 1, false)).toBe(0);
  const range = new StructValue({ gpa: ramGpa, size: page, flags: 0n });
  expect(driver.call(vcpus[0] as number, { request: 'KVM_PRE_FAULT_MEMORY', range })).toBe(0);
});

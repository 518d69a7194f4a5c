import { describe, expect, test } from 'vitest';
import { msr } from '../../../../src/abi/kvm/msrs.ts';
import type { CpuidEntry } from '../../../../src/abi/kvm/structs.ts';
import type { MsrFilterStruct, UserStruct } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { x2apicLeaf } from '../../structs.ts';
import { emptyBitmaps, faultyAt, MsrListValue, MsrsValue, msrFilter } from '../../values.ts';

const lists = ['KVM_GET_MSR_INDEX_LIST', 'KVM_GET_MSR_FEATURE_INDEX_LIST'] as const;

describe('MSR lists of an Intel host', () => {
  const listOf = (request: (typeof lists)[number], profile: 'spr-1.5' | 'small-client') => {
    const driver = new Driver({ profile });
    const list = new MsrListValue(1000);
    expect(driver.call(driver.kvm, { request, list })).toBe(0);
    expect(list.indices).toHaveLength(list.count);
    return list.indices;
  };

  test.each(lists)('%s: no index twice, and none without a place', (request) => {
    const indices = listOf(request, 'spr-1.5');
    expect(new Set(indices).size).toBe(indices.length);
    expect(indices.includes(undefined as unknown as number)).toBe(false);
  });

  test('what QEMU looks for is there, and nothing of AMD', () => {
    const indices = listOf('KVM_GET_MSR_INDEX_LIST', 'spr-1.5');
    // TSC_AUX, UCODE_REV, ARCH_CAPABILITIES, XSS, XFD, UMWAIT_CONTROL, VMX_VMFUNC, TSX_CTRL
    for (const index of [0xc0000103, 0x8b, 0x10a, 0xda0, 0x1c4, 0xe1, 0x491, 0x122]) {
      expect(indices).toContain(index);
    }
    // VIRT_SPEC_CTRL, TSC_RATIO, F15H_PERF_CTL0, BNDCFGS, RTIT_CTL
    for (const index of [0xc001011f, 0xc0000104, 0xc0010200, 0xd90, 0x570]) {
      expect(indices).not.toContain(index);
    }
  });

  test('a host without a PMU lists none of its MSRs', () => {
    const { profile } = new Driver().machine;
    const features = { ...profile.platform.features, pmu: false };
    const driver = new Driver({
      profile: { ...profile, platform: { ...profile.platform, features } },
    });
    const list = new MsrListValue(1000);
    driver.call(driver.kvm, { request: 'KVM_GET_MSR_INDEX_LIST', list });
    expect(list.indices).not.toContain(0x186);
    expect(listOf('KVM_GET_MSR_INDEX_LIST', 'spr-1.5')).toContain(0x186);
  });

  test.each(lists)('%s: too little room is E2BIG, and the count needed goes back', (request) => {
    const driver = new Driver();
    const list = new MsrListValue(0);
    expect(driver.call(driver.kvm, { request, list })).toBe('E2BIG');
    expect(list.indices).toEqual([]);
    const enough = new MsrListValue(list.count);
    expect(driver.call(driver.kvm, { request, list: enough })).toBe(0);
    // The count is written before it is compared.
    const unwritable = faultyAt(new MsrListValue(0), 'writeCount');
    expect(driver.call(driver.kvm, { request, list: unwritable })).toBe('EFAULT');
  });
});

describe('KVM_GET_MSRS on /dev/kvm', () => {
  const ask = (msrs: MsrsValue) => {
    const driver = new Driver();
    return driver.call(driver.kvm, { request: 'KVM_GET_MSRS', msrs });
  };

  test('every listed feature has a value', () => {
    const driver = new Driver();
    const list = new MsrListValue(1000);
    driver.call(driver.kvm, { request: 'KVM_GET_MSR_FEATURE_INDEX_LIST', list });
    const msrs = new MsrsValue(list.indices.map((index) => [index]));
    expect(ask(msrs)).toBe(list.count);
    expect(msrs.entries.every(({ data }) => data !== 0n)).toBe(true);
  });

  test('it ends at the first without one, which is written back as 0', () => {
    const msrs = new MsrsValue([[msr.IA32_UCODE_REV], [0x999999, 7n], [msr.PLATFORM_INFO, 8n]]);
    expect(ask(msrs)).toBe(1);
    expect(msrs.entries.map(({ data }) => data)).toEqual([expect.any(BigInt), 0n, 8n]);
  });

  test('one that is listed elsewhere and is no feature is 0', () => {
    const msrs = new MsrsValue([[msr.IA32_TSC, 7n]]);
    expect(ask(msrs)).toBe(1);
    expect(msrs.entries[0]?.data).toBe(0n);
  });

  test('256 entries are E2BIG before any is read', () => {
    expect(ask(faultyAt(new MsrsValue([], 256), 'readEntries'))).toBe('E2BIG');
  });

  test('KVM_SET_MSRS is EINVAL there', () => {
    const driver = new Driver();
    const msrs = new MsrsValue([[0x10]]);
    expect(driver.call(driver.kvm, { request: 'KVM_SET_MSRS', msrs })).toBe('EINVAL');
  });
});

function accessors(driver: Driver, vcpu: number) {
  return {
    /** The value, or undefined where KVM_GET_MSRS stops. */
    get: (index: number) => {
      const msrs = new MsrsValue([[index, 99n]]);
      const count = driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs });
      return count === 1 ? msrs.entries[0]?.data : undefined;
    },
    /** How many were set. */
    set: (...entries: [number, bigint?][]) =>
      driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs: new MsrsValue(entries) }),
  };
}

describe('MSRs of a TD', () => {
  const tdVcpu = () => {
    const driver = new Driver();
    const { vm, vcpus } = driver.builtTd();
    const vcpu = vcpus[0] as number;
    return { driver, vm, vcpu, ...accessors(driver, vcpu) };
  };

  test('the microcode revision is set as QEMU does it', () => {
    const { get, set } = tdVcpu();
    expect(get(msr.IA32_UCODE_REV)).toBe(0n);
    expect(set([msr.IA32_UCODE_REV, 5n << 32n])).toBe(1);
    expect(get(msr.IA32_UCODE_REV)).toBe(5n << 32n);
  });

  test('what the module keeps KVM knows nothing of; the count says where it stopped', () => {
    const { get, set } = tdVcpu();
    for (const index of [msr.IA32_TSC, 0xc0000081, 0x174, 0xda0, msr.FS_BASE, 0x480]) {
      expect(get(index)).toBeUndefined();
      expect(set([msr.IA32_CR_PAT, 0n], [index, 0n], [msr.IA32_CR_PAT, 6n])).toBe(1);
    }
    expect(get(msr.IA32_CR_PAT)).toBe(0n);
  });

  test('EFER, the APIC base and FEAT_CTL are read and never written', () => {
    const { driver, vcpu, get, set } = tdVcpu();
    expect(get(msr.EFER)).toBe(0xd01n);
    expect(get(msr.IA32_APICBASE)).toBe(0xfee0_0d00n);
    expect(get(msr.IA32_FEAT_CTL)).toBe(1n);
    for (const index of [msr.EFER, msr.IA32_APICBASE, msr.IA32_FEAT_CTL]) {
      expect(set([index, get(index) ?? 0n])).toBe(0);
    }
    // With local machine checks FEAT_CTL says so.
    const mcgCap = { read: () => 10n | (1n << 27n), write: () => true };
    driver.call(vcpu, { request: 'KVM_X86_SETUP_MCE', mcgCap });
    expect(get(msr.IA32_FEAT_CTL)).toBe(1n | (1n << 20n));
  });

  test('x2APIC registers are there once KVM_TDX_INIT_VCPU has set the mode', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const vcpu = driver.createVcpu(vm, 3) as number;
    const { get } = accessors(driver, vcpu);
    expect(get(0x802)).toBeUndefined();
    driver.setCpuid2(vcpu);
    driver.initVcpu(vcpu);
    expect(get(0x802)).toBe(3n);
    // ISR is virtualized by the CPU.
    expect(get(0x810)).toBeUndefined();
  });

  test('CET is asked for before anybody looks whether it is a TD', () => {
    const { get, set } = tdVcpu();
    // Without it in the guest's CPUID it is listed and not there: reads as 0, takes 0.
    expect(get(msr.IA32_U_CET)).toBe(0n);
    expect(set([msr.IA32_U_CET, 0n])).toBe(1);
    expect(set([msr.IA32_U_CET, 1n])).toBe(0);
  });
});

const leaf = (function_: number, registers: Partial<CpuidEntry>): CpuidEntry => ({
  ...{ function: function_, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 },
  ...registers,
});

describe('MSRs of a default VM', () => {
  const plainVcpu = (entries: readonly CpuidEntry[] = []) => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    const vcpu = driver.createVcpu(vm, 0) as number;
    driver.setCpuid2(vcpu, entries);
    return { driver, vm, vcpu, ...accessors(driver, vcpu) };
  };

  test.each([
    [msr.IA32_UCODE_REV, 1n << 32n],
    [msr.IA32_CR_PAT, 0x7040600070406n],
    [msr.IA32_MISC_ENABLE, 0x1800n],
    [msr.PLATFORM_INFO, 0x8000_0000n],
    [msr.MTRRcap, 0x508n],
    [msr.IA32_APICBASE, 0xfee0_0900n],
    [msr.EFER, 0n],
    [msr.IA32_MCG_CAP, 32n],
    [msr.KVM_POLL_CONTROL, 1n],
    [msr.IA32_TSC_DEADLINE, 0n],
  ])('MSR %i of a default VM begins as %i', (index, value) => {
    expect(plainVcpu().get(index)).toBe(value);
  });

  test.each([
    ['an index that nobody lists', 0x999999, 0n, 0],
    ['a memory type that the PAT lacks', msr.IA32_CR_PAT, 2n, 0],
    ['UC- in the PAT', msr.IA32_CR_PAT, 7n, 1],
    ['the read-only MTRRcap', msr.MTRRcap, 0x508n, 0],
    ['a memory type that MTRRs lack', msr.MTRRdefType, 2n, 0],
    ['write-back with both enables', msr.MTRRdefType, 0xc06n, 1],
    ['a base beyond the address width', msr.MTRRphysBase0, 1n << 40n, 0],
    ['reserved bits of a mask', msr.MTRRphysBase0 + 1, 0x400n, 0],
    ['a ninth variable range', 0x210, 0n, 0],
    ['CPUID faulting', msr.MISC_FEATURES_ENABLES, 1n, 1],
    ['an unknown feature to enable', msr.MISC_FEATURES_ENABLES, 2n, 0],
    ['half of MCG_CTL', msr.IA32_MCG_CTL, 5n, 0],
    ['the read-only MCG_CAP', msr.IA32_MCG_CAP, 5n, 0],
    ['half of a bank’s control', msr.IA32_MC0_CTL, 5n, 0],
    ['a bank’s status, as user space', msr.IA32_MC0_CTL + 1, 5n, 1],
    ['CMCI without the capability', msr.IA32_MC0_CTL2, 1n << 30n, 0],
    ['a feature of a CPUID bit that is clear', msr.IA32_ARCH_CAPABILITIES, 1n, 0],
    ['0 of the same', msr.IA32_ARCH_CAPABILITIES, 0n, 1],
    ['a poll control of 2', msr.KVM_POLL_CONTROL, 2n, 0],
    ['VMX without VMX in CPUID', msr.IA32_VMX_BASIC, 0n, 0],
  ] as const)('KVM_SET_MSRS of a default VM decides on %s', (_, index, data, count) => {
    expect(plainVcpu().set([index, data])).toBe(count);
  });

  test('features are stuffed, unless that quirk was disabled', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    driver.cap(vm, 'KVM_CAP_DISABLE_QUIRKS2', 1n << 8n);
    const vcpu = driver.createVcpu(vm, 0) as number;
    expect(accessors(driver, vcpu).get(msr.PLATFORM_INFO)).toBe(0n);
    const withArchCaps = plainVcpu([leaf(7, { flags: 1, edx: (1 << 29) >>> 0 })]);
    expect(withArchCaps.get(msr.IA32_ARCH_CAPABILITIES)).not.toBe(0n);
  });

  test('machine check banks are as many as KVM_X86_SETUP_MCE said', () => {
    const { driver, vcpu, get } = plainVcpu();
    const setup = (mcgCap: bigint) =>
      driver.call(vcpu, {
        request: 'KVM_X86_SETUP_MCE',
        mcgCap: { read: () => mcgCap, write: () => true },
      });
    expect([setup(0n), setup(33n), setup(10n | (1n << 11n))]).toEqual(Array(3).fill('EINVAL'));
    expect(setup(0x100010an)).toBe(0);
    expect(get(msr.IA32_MCG_CAP)).toBe(0x100010an);
    expect(get(msr.IA32_MC0_CTL)).toBe(2n ** 64n - 1n);
    expect(get(msr.IA32_MC0_CTL + 4 * 9)).toBe(2n ** 64n - 1n);
    expect(get(msr.IA32_MC0_CTL + 4 * 10)).toBeUndefined();
  });

  test('once it was entered, features can only be written as they are', async () => {
    const { driver, vcpu, set, get } = plainVcpu([x2apicLeaf]);
    expect(set([msr.PLATFORM_INFO, 0n])).toBe(1);
    const running = driver.run(vcpu);
    running.cancel();
    await running.result;
    expect(set([msr.PLATFORM_INFO, 1n << 31n])).toBe(0);
    expect(set([msr.PLATFORM_INFO, 0n])).toBe(1);
    expect(set([msr.IA32_UCODE_REV, 9n])).toBe(1);
    expect(get(msr.IA32_UCODE_REV)).toBe(9n);
    // And so is the CPUID.
    expect(driver.setCpuid2(vcpu, [x2apicLeaf])).toBe(0);
    expect(driver.setCpuid2(vcpu, [])).toBe('EINVAL');
  });
});

describe('KVM_X86_SET_MSR_FILTER', () => {
  const range = (change = {}) => ({ flags: 1, nmsrs: 64, base: 0x10, ...change });
  const set = (filter: UserStruct<MsrFilterStruct>, bitmaps = emptyBitmaps) => {
    const driver = new Driver();
    const request = 'KVM_X86_SET_MSR_FILTER';
    return driver.call(driver.createTd(), { request, filter, bitmaps });
  };

  test.each([
    ['allowing everything', msrFilter(0)],
    ['what QEMU sets: reads of one MSR', msrFilter(0, range({ nmsrs: 1, base: 0x35 }))],
    ['a flag of a range of no MSRs', msrFilter(0, range({ flags: 4, nmsrs: 0 }))],
    ['as many as the bitmap can have', msrFilter(1, range({ nmsrs: 0x3000 }))],
  ] as const)('KVM_X86_SET_MSR_FILTER takes %s', (_, filter) => {
    expect(set(filter)).toBe(0);
  });

  test('the filter is read first, each bitmap in its turn', () => {
    const filter = msrFilter(0, range(), range({ flags: 4 }));
    expect(set(faultyAt(filter, 'read'))).toBe('EFAULT');
    const unreadable = { readBitmap: () => undefined };
    expect(set(filter, unreadable)).toBe('EFAULT');
    expect(set(filter)).toBe('EINVAL');
  });
});

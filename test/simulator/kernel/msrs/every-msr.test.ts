/** What holds of every MSR that KVM lists, and the reserved bits of each kind. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { msr } from '../../../../src/abi/kvm/msrs.ts';
import {
  createSimulatedHost,
  type HostProfileName,
  hostProfiles,
} from '../../../../src/simulator/index.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { ruleOf } from '../../../../src/simulator/kernel/msrs/rules/index.ts';
import { Driver } from '../../drive.ts';
import { MsrListValue, MsrsValue } from '../../values.ts';

const bit = (index: number) => 1n << BigInt(index);

/** A vCPU of a default VM with the host's own CPUID. */
function hostVcpu(driver = new Driver(), enable?: (vm: number) => void) {
  const vm = driver.plainVm('split');
  enable?.(vm);
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu, supportedCpuid(driver.machine.profile.platform));
  return { driver, vm, vcpu, ...accessors(driver, vcpu) };
}

function accessors(driver: Driver, vcpu: number) {
  return {
    get: (index: number) => {
      const msrs = new MsrsValue([[index]]);
      const count = driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs });
      return count === 1 ? msrs.entries[0]?.data : undefined;
    },
    set: (index: number, data: bigint) =>
      driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs: new MsrsValue([[index, data]]) }) === 1,
  };
}

function listedBy(driver: Driver): readonly number[] {
  const list = new MsrListValue(1000);
  driver.call(driver.kvm, { request: 'KVM_GET_MSR_INDEX_LIST', list });
  return list.indices;
}

const hostsWithKvm = (Object.keys(hostProfiles) as HostProfileName[]).filter(
  (profile) => createSimulatedHost({ profile }).bringUp.outcome !== 'no-kvm',
);

describe.each(hostsWithKvm)('MSRs of %s', (profile) => {
  const listed = listedBy(new Driver({ profile }));

  test('every listed MSR is known by a rule', () => {
    expect(listed.filter((index) => ruleOf(index) === undefined)).toEqual([]);
  });

  test('every listed MSR is read, and takes what it gave', () => {
    const { get, set } = hostVcpu(new Driver({ profile }));
    const unread = listed.filter((index) => get(index) === undefined);
    expect(unread).toEqual([]);
    const untaken = listed.filter((index) => !set(index, get(index) ?? 0n));
    expect(untaken).toEqual([]);
  });

  test('without any CPUID a listed MSR reads as 0 or as it began, but for what VMX has', () => {
    const driver = new Driver({ profile });
    const { get } = accessors(driver, driver.plainVcpu('split'));
    const unread = listed.filter((index) => get(index) === undefined);
    expect(unread.every((index) => index >= 0x480 && index <= 0x491)).toBe(true);
  });
});

test.prop([
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(...listedBy(new Driver())),
])(
  'a refused value changes nothing, and a value that is taken twice reads the same',
  (data, index) => {
    const { get, set } = hostVcpu();
    const ticks = new Set<number>([msr.IA32_TSC, msr.HV_TIME_REF_COUNT, msr.HV_VP_RUNTIME]);
    const before = get(index);
    if (!set(index, data)) {
      if (!ticks.has(index)) expect(get(index)).toBe(before);
      return;
    }
    const after = get(index);
    expect(set(index, data)).toBe(true);
    if (!ticks.has(index)) expect(get(index)).toBe(after);
  },
);

describe('reserved bits', () => {
  test.each([
    ['HWCR: McStatusWrEn and TscFreqSel', msr.K7_HWCR, bit(18) | bit(24), true],
    ['HWCR: three bits are dropped', msr.K7_HWCR, 0x148n, true],
    ['HWCR: SMMLOCK', msr.K7_HWCR, 1n, false],
    ['HWCR: CPUID_USER_DIS', msr.K7_HWCR, bit(35), false],
    ['FEAT_CTL: all that KVM knows', msr.IA32_FEAT_CTL, 0x16_0007n, true],
    ['FEAT_CTL: bit 3', msr.IA32_FEAT_CTL, bit(3), false],
    ['EFER: SCE, LME, NX', msr.EFER, 0x901n, true],
    ['EFER: SVME', msr.EFER, bit(12), false],
    ['EFER: FFXSR', msr.EFER, bit(14), false],
    ['STEAL_TIME: an aligned address', msr.KVM_STEAL_TIME, 0x1041n, true],
    ['STEAL_TIME: alignment', msr.KVM_STEAL_TIME, 0x1021n, false],
    ['ASYNC_PF: off, any delivery', msr.KVM_ASYNC_PF_EN, 0x104fn & ~9n, true],
    ['ASYNC_PF: bit 4', msr.KVM_ASYNC_PF_EN, 0x10n, false],
    ['ASYNC_PF: memory that is not there', msr.KVM_ASYNC_PF_EN, 0x1009n, false],
    ['ASYNC_PF_INT: a vector', msr.KVM_ASYNC_PF_INT, 0xecn, true],
    ['ASYNC_PF_INT: more than a vector', msr.KVM_ASYNC_PF_INT, 0x100n, false],
    ['PV_EOI: off', msr.KVM_PV_EOI_EN, 0x1000n, true],
    ['PV_EOI: alignment', msr.KVM_PV_EOI_EN, 0x1002n, false],
    ['PV_EOI: memory that is not there', msr.KVM_PV_EOI_EN, 0x1001n, false],
    ['XSS: both of CET', msr.IA32_XSS, 0x1800n, true],
    ['XSS: Processor Trace', msr.IA32_XSS, 0x100n, false],
    ['XFD: AMX tiles', msr.IA32_XFD, bit(18), true],
    ['XFD: AVX', msr.IA32_XFD, 4n, false],
    ['U_CET: tracking of indirect branches', msr.IA32_U_CET, 0x3cn, true],
    ['U_CET: bit 6', msr.IA32_U_CET, bit(6), false],
    ['S_CET: suppressed and waiting', msr.IA32_S_CET, bit(10) | bit(11), false],
    ['PL0_SSP: alignment', msr.IA32_PL0_SSP, 2n, false],
    ['PL3_SSP: not canonical', msr.IA32_PL3_SSP, bit(62), false],
    ['LSTAR: not canonical', msr.LSTAR, bit(60), false],
    ['LSTAR: canonical', msr.LSTAR, 0xffff_ffff_8000_0000n, true],
    ['FS_BASE: not canonical', msr.FS_BASE, bit(57), false],
    ['TSC_AUX: the upper half', msr.TSC_AUX, bit(32), false],
    ['SPEC_CTRL: IBRS, STIBP, SSBD', msr.IA32_SPEC_CTRL, 7n, true],
    ['SPEC_CTRL: bit 11', msr.IA32_SPEC_CTRL, bit(11), false],
    ['TSX_CTRL: both', msr.IA32_TSX_CTRL, 3n, true],
    ['TSX_CTRL: bit 2', msr.IA32_TSX_CTRL, 4n, false],
    ['UMWAIT_CONTROL: a time', msr.IA32_UMWAIT_CONTROL, 0x1_86a1n, true],
    ['UMWAIT_CONTROL: bit 1', msr.IA32_UMWAIT_CONTROL, 2n, false],
    ['PRED_CMD: a barrier', msr.IA32_PRED_CMD, 1n, true],
    ['PRED_CMD: SBPB', msr.IA32_PRED_CMD, bit(7), false],
    ['FLUSH_CMD: L1D', msr.IA32_FLUSH_CMD, 1n, true],
    ['FLUSH_CMD: bit 1', msr.IA32_FLUSH_CMD, 2n, false],
    ['DEBUGCTL: LBR and BTF are dropped', msr.IA32_DEBUGCTL, 3n, true],
    ['DEBUGCTL: BTS', msr.IA32_DEBUGCTL, bit(7), false],
    ['APICBASE: a reserved bit', msr.IA32_APICBASE, 0xfee0_0801n, false],
    ['APICBASE: x2APIC while it is off', msr.IA32_APICBASE, 0xfee0_0400n, false],
    ['APICBASE: x2APIC', msr.IA32_APICBASE, 0xfee0_0d00n, true],
    ['PERF_CAPABILITIES: those of the host', msr.IA32_PERF_CAPABILITIES, 0x24c0n, true],
    ['PERF_CAPABILITIES: another PEBS format', msr.IA32_PERF_CAPABILITIES, 0x300n, false],
    ['PERF_CAPABILITIES: branch records', msr.IA32_PERF_CAPABILITIES, 5n, false],
    ['GLOBAL_CTRL: a counter that is not there', msr.CORE_PERF_GLOBAL_CTRL, bit(20), false],
    ['FIXED_CTR_CTRL: AnyThread', msr.CORE_PERF_FIXED_CTR_CTRL, 4n, false],
    ['EVENTSEL: AnyThread', msr.P6_EVNTSEL0, bit(21), false],
    ['DS_AREA: not canonical', msr.IA32_DS_AREA, bit(62), false],
    ['K7 counters drop what they get', msr.K7_EVNTSEL0, 5n, true],
    ['NB_CFG drops what it gets', msr.AMD64_NB_CFG, 5n, true],
    ['the MMIO configuration base stays 0', msr.FAM10H_MMIO_CONF_BASE, 5n, false],
    ['Intel’s last branch records of an architectural kind', 0x14cf, 0n, false],
    ['Processor Trace', 0x570, 0n, false],
  ] as const)('%s', (_, index, data, taken) => {
    expect(hostVcpu().set(index, data)).toBe(taken);
  });

  test('EFER keeps LMA, HWCR and DEBUGCTL drop what they ignore', () => {
    const { get, set } = hostVcpu();
    expect(set(msr.EFER, 0xd01n)).toBe(true);
    expect(get(msr.EFER)).toBe(0x901n);
    set(msr.K7_HWCR, 0x148n | bit(24));
    expect(get(msr.K7_HWCR)).toBe(bit(24));
    set(msr.IA32_DEBUGCTL, 7n);
    expect(get(msr.IA32_DEBUGCTL)).toBe(4n);
  });
});

describe('what KVM answers so that a guest gets an answer', () => {
  test.each([
    [msr.IA32_PERF_STATUS, 0x400_0000_03e8n],
    [msr.EBC_FREQUENCY_ID, 0x100_0000n],
    [msr.FSB_FREQUENCY, 3n],
    [msr.K7_CLK_CTL, 0x2000_0000n],
    [msr.IA32_BBL_CR_CTL3, 0xbe70_2111n],
    [msr.K7_PERFCTR3, 0n],
    [msr.RAPL_POWER_UNIT, 0n],
    [msr.IA32_SGXLEPUBKEYHASH0, 0xa605_3e05_1270_b7acn],
    [msr.IA32_SMBASE, 0x3_0000n],
  ])('MSR %i reads as %i', (index, value) => {
    expect(hostVcpu().get(index)).toBe(value);
  });

  test.each([0x14cf, 0x570, 0xd90, msr.IA32_PRED_CMD, 0xc0010140, 0x210])(
    'MSR %i cannot be read',
    (index) => {
      expect(hostVcpu().get(index)).toBeUndefined();
    },
  );
});

describe('Hyper-V', () => {
  test('timers and sources take 0 before the controller is on, and anything after', () => {
    const { driver, vcpu, get, set } = hostVcpu();
    for (let index: number = msr.HV_STIMER0_CONFIG; index <= msr.HV_STIMER3_COUNT; index++) {
      expect([get(index), set(index, 0n), set(index, 1n)]).toEqual([0n, true, false]);
    }
    expect([get(msr.HV_SVERSION), get(msr.HV_SINT0)]).toEqual([1n, bit(16)]);
    driver.cap(vcpu, 'KVM_CAP_HYPERV_SYNIC2', 0n);
    expect(get(msr.HV_SCONTROL)).toBe(1n);
    expect([set(msr.HV_STIMER0_CONFIG, 0x1_0001n), set(msr.HV_SINT15, 0x33n)]).toEqual([
      true,
      true,
    ]);
    expect(get(msr.HV_STIMER0_CONFIG)).toBe(0x1_0001n);
    // Without a source to send to, a timer that was on goes off.
    set(msr.HV_STIMER0_CONFIG, 3n);
    expect(get(msr.HV_STIMER0_CONFIG)).toBe(2n);
  });

  test('a hypercall page needs the guest’s name and memory, and goes with the name', () => {
    const { driver, vm, get, set } = hostVcpu();
    expect(set(msr.HV_HYPERCALL, 0x10_0001n)).toBe(true);
    expect(get(msr.HV_HYPERCALL)).toBe(0n);
    expect(set(msr.HV_GUEST_OS_ID, 1n)).toBe(true);
    expect(set(msr.HV_HYPERCALL, 0x10_0001n)).toBe(false);
    driver.setSlot(vm, undefined);
    expect(set(msr.HV_HYPERCALL, 0x10_0001n)).toBe(true);
    expect(get(msr.HV_HYPERCALL)).toBe(0x10_0001n);
    set(msr.HV_GUEST_OS_ID, 0n);
    expect(get(msr.HV_HYPERCALL)).toBe(0x10_0000n);
  });

  test('the partition’s MSRs are one for all its vCPUs, a processor’s its own', () => {
    const { driver, vm, set } = hostVcpu();
    const other = accessors(driver, driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 }));
    set(msr.HV_CRASH_P0, 7n);
    expect(other.get(msr.HV_CRASH_P0)).toBe(7n);
    expect(other.get(msr.HV_VP_INDEX)).toBe(1n);
    expect([other.set(msr.HV_VP_INDEX, 9n), other.set(msr.HV_VP_INDEX, 9999n)]).toEqual([
      true,
      false,
    ]);
  });

  test('its own range has gaps that are refused', () => {
    const { get, set } = hostVcpu();
    for (const index of [0x40000004, 0x40000085]) {
      expect([get(index), set(index, 0n)]).toEqual([undefined, false]);
    }
    expect(get(msr.HV_TSC_FREQUENCY)).toBe(2_000_000_000n);
    expect(get(msr.HV_APIC_FREQUENCY)).toBe(1_000_000_000n);
  });
});

describe('paravirtual MSRs', () => {
  test('old and new numbers of a clock are one value; the time of day is the VM’s', () => {
    const { driver, vm, get, set } = hostVcpu();
    set(msr.KVM_SYSTEM_TIME, 0x2001n);
    expect(get(msr.KVM_SYSTEM_TIME_NEW)).toBe(0x2001n);
    set(msr.KVM_WALL_CLOCK_NEW, 0x3000n);
    const other = accessors(driver, driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 }));
    expect(other.get(msr.KVM_WALL_CLOCK)).toBe(0x3000n);
    expect(other.get(msr.KVM_SYSTEM_TIME)).toBe(0n);
  });

  test('a guest that is held to its CPUID has only what that shows', () => {
    const { driver, vcpu, get, set } = hostVcpu();
    driver.cap(vcpu, 'KVM_CAP_ENFORCE_PV_FEATURE_CPUID', 1n);
    expect(set(msr.KVM_STEAL_TIME, 0x1041n)).toBe(true);
    driver.setCpuid2(vcpu, []);
    expect(set(msr.KVM_STEAL_TIME, 0x1041n)).toBe(false);
    // They are listed: 0 is read and taken.
    expect([get(msr.KVM_STEAL_TIME), set(msr.KVM_STEAL_TIME, 0n)]).toEqual([0n, true]);
  });
});

describe('performance counters', () => {
  test('they are those of the guest’s CPUID, and begin anew with it', () => {
    const { driver, vcpu, get, set } = hostVcpu();
    expect(get(msr.CORE_PERF_GLOBAL_CTRL)).toBe(0xffn);
    expect(set(msr.IA32_PERFCTR0, 2n ** 64n - 1n)).toBe(true);
    expect(get(msr.IA32_PERFCTR0)).toBe(2n ** 48n - 1n);
    // The full-width alias is the same counter, and refuses what does not fit.
    expect(get(msr.IA32_PMC0)).toBe(2n ** 48n - 1n);
    expect([set(msr.IA32_PMC0, 5n), set(msr.IA32_PMC0, 2n ** 48n)]).toEqual([true, false]);
    const without = supportedCpuid(driver.machine.profile.platform).filter(
      ({ function: leaf }) => leaf !== 0xa,
    );
    driver.setCpuid2(vcpu, without);
    expect([get(msr.IA32_PERFCTR0), get(msr.CORE_PERF_GLOBAL_CTRL)]).toEqual([0n, 0n]);
    // The first two drop what they get; the others are listed and not there.
    expect([set(msr.IA32_PERFCTR0, 5n), set(msr.IA32_PERFCTR0 + 2, 5n)]).toEqual([true, false]);
  });

  test('a VM whose PMU is off has none', () => {
    const driver = new Driver();
    const off = hostVcpu(driver, (vm) => driver.cap(vm, 'KVM_CAP_PMU_CAPABILITY', 1n));
    expect(off.get(msr.CORE_PERF_GLOBAL_CTRL)).toBe(0n);
  });
});

describe('VMX features', () => {
  test('features can be taken away and never added, and what follows from others is fixed', () => {
    const { get, set } = hostVcpu();
    const pinBased = get(msr.IA32_VMX_TRUE_PINBASED_CTLS) ?? 0n;
    const less = pinBased & ~bit(38);
    expect(set(msr.IA32_VMX_TRUE_PINBASED_CTLS, less)).toBe(true);
    expect(get(msr.IA32_VMX_PINBASED_CTLS)).toBe(less | 0x16n);
    expect(set(msr.IA32_VMX_TRUE_PINBASED_CTLS, pinBased | bit(60))).toBe(false);
    expect(set(msr.IA32_VMX_PINBASED_CTLS, pinBased)).toBe(false);
    expect(set(msr.IA32_VMX_CR4_FIXED1, get(msr.IA32_VMX_CR4_FIXED1) ?? 0n)).toBe(false);
    expect(set(msr.IA32_VMX_CR0_FIXED0, 0n)).toBe(false);
    expect(set(msr.IA32_VMX_BASIC, (get(msr.IA32_VMX_BASIC) ?? 0n) | bit(48))).toBe(false);
    expect(set(msr.IA32_VMX_VMFUNC, 2n)).toBe(false);
    expect(set(msr.IA32_VMX_VMFUNC, 0n)).toBe(true);
  });

  test('without the quirk a new vCPU has none, nor any other feature', () => {
    const driver = new Driver();
    const { get, set } = hostVcpu(driver, (vm) =>
      driver.cap(vm, 'KVM_CAP_DISABLE_QUIRKS2', bit(8)),
    );
    for (const index of [
      msr.IA32_VMX_BASIC,
      msr.IA32_ARCH_CAPABILITIES,
      msr.IA32_PERF_CAPABILITIES,
      msr.PLATFORM_INFO,
      msr.IA32_UCODE_REV,
    ]) {
      expect(get(index)).toBe(0n);
    }
    expect(set(msr.IA32_ARCH_CAPABILITIES, 1n)).toBe(true);
  });

  test('a host without nested virtualisation lists none', () => {
    const profile = {
      ...hostProfiles['spr-1.5'],
      recordedCapabilities: { KVM_CAP_NESTED_STATE: 0 },
    };
    const listed = listedBy(new Driver({ profile }));
    expect(listed.some((index) => index >= 0x480 && index <= 0x491)).toBe(false);
  });
});

describe('the local APIC by MSRs', () => {
  test('its registers are those of KVM_GET_LAPIC, in x2APIC mode alone', () => {
    const { get, set } = hostVcpu();
    expect(get(msr.X2APIC + 8)).toBeUndefined();
    set(msr.IA32_APICBASE, 0xfee0_0d00n);
    expect([set(msr.X2APIC + 8, 0x35n), get(msr.X2APIC + 8)]).toEqual([true, 0x35n]);
    expect([set(msr.X2APIC + 8, bit(32)), set(msr.X2APIC + 2, 0n)]).toEqual([false, false]);
    // The end of an interrupt is written only; ESR takes 0.
    expect([get(msr.X2APIC + 0xb), set(msr.X2APIC + 0xb, 0n)]).toEqual([undefined, true]);
    expect([set(msr.X2APIC + 0x28, 0n), set(msr.X2APIC + 0x28, 1n)]).toEqual([true, false]);
    // An APIC that software has not switched on has its vectors masked.
    expect([set(msr.X2APIC + 0x32, 0x20n), get(msr.X2APIC + 0x32)]).toEqual([true, 0x1_0020n]);
  });

  test('a deadline counts while the timer is in that mode', () => {
    const { get, set } = hostVcpu();
    set(msr.IA32_APICBASE, 0xfee0_0d00n);
    expect([set(msr.IA32_TSC_DEADLINE, 9n), get(msr.IA32_TSC_DEADLINE)]).toEqual([true, 0n]);
    set(msr.X2APIC + 0x32, 0x4_0020n);
    expect([set(msr.IA32_TSC_DEADLINE, 9n), get(msr.IA32_TSC_DEADLINE)]).toEqual([true, 9n]);
  });
});

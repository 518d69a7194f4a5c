/** KVM_SET_CPUID2 and KVM_GET_CPUID2: what KVM itself keeps up to date in what user space gave. */
import { describe, expect, test } from 'vitest';
import { bitsOf } from '../../../../src/abi/cpuid/registers.ts';
import type { CpuidEntry } from '../../../../src/abi/kvm/structs.ts';
import { CpuidValue, type Handle, hostProfiles } from '../../../../src/simulator/index.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { Driver } from '../../drive.ts';
import { BytesValue } from '../../values.ts';

const offered = supportedCpuid(hostProfiles['spr-1.5'].platform);

function withVcpu(prepare: (driver: Driver, vm: Handle) => void = () => undefined) {
  const driver = new Driver();
  const vm = driver.plainVm('split');
  prepare(driver, vm);
  const vcpu = driver.createVcpu(vm, 0) as Handle;
  return { driver, vcpu };
}

function get(driver: Driver, vcpu: Handle) {
  const cpuid = new CpuidValue(256);
  expect(driver.call(vcpu, { request: 'KVM_GET_CPUID2', cpuid })).toBe(0);
  const entry = (leaf: number, index = 0) =>
    cpuid.entries.find((each) => each.function === leaf && each.index === index);
  return { entries: cpuid.entries, entry };
}

/** What differs from what was given. */
function changes(driver: Driver, vcpu: Handle, given: readonly CpuidEntry[] = offered) {
  const { entries } = get(driver, vcpu);
  expect(entries).toHaveLength(given.length);
  return entries.filter((entry, i) => JSON.stringify(entry) !== JSON.stringify(given[i]));
}

function changeSregs(driver: Driver, vcpu: Handle, change: (sregs: DataView) => void) {
  const state = new BytesValue(4096);
  expect(driver.call(vcpu, { request: 'KVM_GET_SREGS', state })).toBe(0);
  change(state.view);
  expect(driver.call(vcpu, { request: 'KVM_SET_SREGS', state })).toBe(0);
}

describe('a vCPU of a default VM', () => {
  test('of all that KVM offers, only the size of the state that is switched on changes', () => {
    const { driver, vcpu } = withVcpu();
    expect(driver.setCpuid2(vcpu, offered)).toBe(0);
    expect(changes(driver, vcpu).map((entry) => [entry.function, entry.index, entry.ebx])).toEqual([
      // XCR0 has x87 alone, and IA32_XSS nothing.
      [0xd, 0, 576],
      [0xd, 1, 576],
    ]);
  });

  test('OSXSAVE and OSPKE follow CR4, whatever user space says', () => {
    const { driver, vcpu } = withVcpu();
    const lying = offered.map((entry) =>
      entry.function === 1 ? { ...entry, ecx: (entry.ecx | bitsOf(27)) >>> 0 } : entry,
    );
    driver.setCpuid2(vcpu, lying);
    expect((get(driver, vcpu).entry(1)?.ecx ?? 0) & bitsOf(27)).toBe(0);
    const cr4 = bitsOf(5, 18, 22);
    changeSregs(driver, vcpu, (sregs) => sregs.setBigUint64(248, BigInt(cr4), true));
    expect((get(driver, vcpu).entry(1)?.ecx ?? 0) & bitsOf(27)).toBe(bitsOf(27));
    expect((get(driver, vcpu).entry(7)?.ecx ?? 0) & bitsOf(4)).toBe(bitsOf(4));
  });

  test('APIC follows the APIC base', () => {
    const { driver, vcpu } = withVcpu();
    driver.setCpuid2(vcpu, offered);
    expect((get(driver, vcpu).entry(1)?.edx ?? 0) & bitsOf(9)).toBe(bitsOf(9));
    changeSregs(driver, vcpu, (sregs) => sregs.setBigUint64(272, 0xfee0_0100n, true));
    expect((get(driver, vcpu).entry(1)?.edx ?? 0) & bitsOf(9)).toBe(0);
  });

  test('PV_UNHALT goes where halts do not exit', () => {
    const HLT = 2n;
    const { driver, vcpu } = withVcpu((each, vm) => {
      expect(each.cap(vm, 'KVM_CAP_X86_DISABLE_EXITS', HLT)).toBe(0);
    });
    driver.setCpuid2(vcpu, offered);
    expect((get(driver, vcpu).entry(0x4000_0001)?.eax ?? 0) & bitsOf(7)).toBe(0);
  });

  test('an entry more or less is no other list of leaves that KVM keeps', () => {
    const { driver, vcpu } = withVcpu();
    const few = offered.filter((entry) => entry.function < 2);
    expect(driver.setCpuid2(vcpu, few)).toBe(0);
    expect(changes(driver, vcpu, few)).toEqual([]);
  });
});

test('KVM knows the registers of a TD for those of a reset', () => {
  const driver = new Driver();
  const vm = driver.createTd();
  driver.initVm(vm);
  const vcpu = driver.createVcpu(vm, 0) as Handle;
  expect(driver.setCpuid2(vcpu, offered)).toBe(0);
  expect(get(driver, vcpu).entry(0xd)?.ebx).toBe(576);
});

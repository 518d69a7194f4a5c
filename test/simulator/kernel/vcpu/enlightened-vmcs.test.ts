/** KVM_CAP_HYPERV_ENLIGHTENED_VMCS, and where it shows. */
import { expect, test } from 'vitest';
import { capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { CpuidValue, StructValue } from '../../../../src/simulator/index.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { Driver } from '../../drive.ts';
import { BytesValue } from '../../values.ts';

function enable(driver: Driver, vcpu: number) {
  const cap = new StructValue({
    cap: capabilities.KVM_CAP_HYPERV_ENLIGHTENED_VMCS,
    flags: 0,
    args: [0n],
  });
  const pointee = new BytesValue(2);
  return {
    answer: driver.call(vcpu, { request: 'KVM_ENABLE_CAP', cap, pointee }),
    versions: pointee.view.getUint16(0, true),
  };
}

function shownVersions(driver: Driver, handle: number): number {
  const cpuid = new CpuidValue(10);
  driver.must(handle, { request: 'KVM_GET_SUPPORTED_HV_CPUID', cpuid });
  const leaf = cpuid.entries.find((entry) => entry.function === 0x4000_000a);
  return (leaf?.eax ?? 0) & 0xffff;
}

test('enabling it tells its versions, which the vCPU shows from then on and /dev/kvm always', () => {
  const driver = new Driver();
  const vcpu = driver.plainVcpu('split');
  expect([driver.kvm, vcpu].map((handle) => shownVersions(driver, handle))).toEqual([0x101, 0]);
  expect(enable(driver, vcpu)).toEqual({ answer: 0, versions: 0x101 });
  expect(shownVersions(driver, vcpu)).toBe(0x101);
});

test('a nested state with its flag is taken once it is enabled', () => {
  const driver = new Driver();
  const vcpu = driver.plainVcpu('split');
  driver.setCpuid2(vcpu, supportedCpuid(driver.machine.profile.platform));
  const state = new BytesValue(128);
  state.view.setUint16(0, 4, true);
  state.view.setUint32(4, 128, true);
  state.bytes.fill(0xff, 8, 24);
  const set = () => driver.call(vcpu, { request: 'KVM_SET_NESTED_STATE', state });
  expect(set()).toBe('EINVAL');
  enable(driver, vcpu);
  expect(set()).toBe(0);
});

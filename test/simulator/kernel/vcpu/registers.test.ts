/** Registers that are reached by more than one request, and what KVM adds to what was written. */
import { describe, expect, test } from 'vitest';
import type { VcpuStateRequestName } from '../../../../src/abi/kvm/vcpu-state.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { type Driver, Driver as Machine } from '../../drive.ts';
import { BytesValue, MsrsValue } from '../../values.ts';

const EFER = 0xc0000080;
const FS_BASE = 0xc0000100;

function vcpuWithHostCpuid() {
  const driver = new Machine();
  const vm = driver.plainVm('split');
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu, supportedCpuid(driver.machine.profile.platform));
  return { driver, vcpu, ...stateOf(driver, vcpu) };
}

function stateOf(driver: Driver, vcpu: number) {
  const get = (request: VcpuStateRequestName) => {
    const state = new BytesValue(16384);
    expect(driver.call(vcpu, { request, state })).toBe(0);
    return state;
  };
  const set = (request: VcpuStateRequestName, state: BytesValue) =>
    driver.call(vcpu, { request, state });
  const setMsr = (index: number, data: bigint) =>
    driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs: new MsrsValue([[index, data]]) });
  const getMsr = (index: number) => {
    const msrs = new MsrsValue([[index]]);
    expect(driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs })).toBe(1);
    return msrs.entries[0]?.data;
  };
  return { get, set, setMsr, getMsr };
}

describe('registers of a default VM’s vCPU', () => {
  test('RFLAGS has its fixed bit, whatever was written', () => {
    const { get, set } = vcpuWithHostCpuid();
    expect(set('KVM_SET_REGS', new BytesValue(144))).toBe(0);
    expect(get('KVM_GET_REGS').view.getUint32(136, true)).toBe(2);
  });

  test('what SREGS gives back after a reset is taken, by SREGS and by SREGS2', () => {
    const { get, set } = vcpuWithHostCpuid();
    expect(set('KVM_SET_SREGS', get('KVM_GET_SREGS'))).toBe(0);
    expect(set('KVM_SET_SREGS2', get('KVM_GET_SREGS2'))).toBe(0);
  });

  test('EFER, FS and the APIC base are one register each, as MSR and in SREGS', () => {
    const { get, set, setMsr, getMsr } = vcpuWithHostCpuid();
    expect(setMsr(EFER, 0x901n)).toBe(1);
    expect(setMsr(FS_BASE, 0x1234n)).toBe(1);
    const sregs = get('KVM_GET_SREGS');
    expect(sregs.view.getBigUint64(264, true)).toBe(0x901n);
    expect(sregs.view.getBigUint64(72, true)).toBe(0x1234n);
    sregs.view.setBigUint64(264, 0x801n, true);
    sregs.view.setBigUint64(72, 0x5678n, true);
    sregs.view.setBigUint64(272, 0xfee0_0d00n, true);
    expect(set('KVM_SET_SREGS', sregs)).toBe(0);
    expect([getMsr(EFER), getMsr(FS_BASE), getMsr(0x1b)]).toEqual([0x801n, 0x5678n, 0xfee0_0d00n]);
  });

  test('CR8 is the task priority of the local APIC', () => {
    const { get, set } = vcpuWithHostCpuid();
    const sregs = get('KVM_GET_SREGS');
    sregs.view.setBigUint64(256, 5n, true);
    expect(set('KVM_SET_SREGS', sregs)).toBe(0);
    const lapic = get('KVM_GET_LAPIC');
    expect(lapic.view.getUint32(0x80, true)).toBe(0x50);
    lapic.view.setUint32(0x80, 0x73, true);
    expect(set('KVM_SET_LAPIC', lapic)).toBe(0);
    expect(get('KVM_GET_SREGS').view.getBigUint64(256, true)).toBe(7n);
  });

  test('page directory pointers come back with PAE paging alone', () => {
    const { get, set } = vcpuWithHostCpuid();
    const sregs2 = get('KVM_GET_SREGS2');
    expect(sregs2.view.getBigUint64(280, true)).toBe(0n);
    sregs2.view.setBigUint64(224, 0x8000_0001n, true);
    sregs2.view.setBigUint64(248, 0x20n, true);
    sregs2.view.setBigUint64(280, 1n, true);
    sregs2.view.setBigUint64(296, 0x5001n, true);
    expect(set('KVM_SET_SREGS2', sregs2)).toBe(0);
    const shown = get('KVM_GET_SREGS2').view;
    expect([shown.getBigUint64(280, true), shown.getBigUint64(296, true)]).toEqual([1n, 0x5001n]);
    expect(get('KVM_GET_SREGS').view.getBigUint64(280, true)).toBe(0n);
  });

  test.each([
    ['all of the host but AMX', 0x2e7n, 0],
    ['everything', 0x602e7n, 0],
    ['AVX without SSE', 0x5n, 'EINVAL'],
    ['a part of AVX-512', 0x27n, 'EINVAL'],
    ['AVX-512 without AVX', 0xe3n, 'EINVAL'],
    ['half of AMX', 0x20007n, 'EINVAL'],
    ['half of MPX', 0xfn, 'EINVAL'],
    ['a component that nobody has', 0x4003n, 'EINVAL'],
  ] as const)('XCR0 with %s', (_, xcr0, answer) => {
    const { get, set } = vcpuWithHostCpuid();
    const xcrs = new BytesValue(392);
    xcrs.view.setUint32(0, 2, true);
    // Another register than XCR0 is passed over.
    xcrs.view.setUint32(8, 1, true);
    xcrs.view.setBigUint64(32, xcr0, true);
    expect(set('KVM_SET_XCRS', xcrs)).toBe(answer);
    const shown = get('KVM_GET_XCRS').view;
    const kept = answer === 0 ? xcr0 : 1n;
    expect([shown.getUint32(0, true), shown.getBigUint64(16, true)]).toEqual([1, kept]);
  });

  test('tiles that IA32_XFD has switched off are not looked at', () => {
    const { set, setMsr } = vcpuWithHostCpuid();
    const xsave = new BytesValue(16384);
    xsave.view.setBigUint64(512, (1n << 18n) | 3n, true);
    expect(set('KVM_SET_XSAVE', xsave)).toBe(0);
    expect(setMsr(0x1c4, 1n << 18n)).toBe(1);
    expect(set('KVM_SET_XSAVE', xsave)).toBe(0);
  });

  test('an exception that debugging injects waits until the guest is entered', async () => {
    const { driver, vcpu, get, set } = vcpuWithHostCpuid();
    const debug = new BytesValue(72);
    debug.view.setUint32(0, 0x8_0001, true);
    expect(set('KVM_SET_GUEST_DEBUG', debug)).toBe(0);
    expect([...get('KVM_GET_VCPU_EVENTS').bytes.subarray(0, 4)]).toEqual([1, 3, 0, 1]);
    expect(set('KVM_SET_GUEST_DEBUG', debug)).toBe('EBUSY');
    const running = driver.run(vcpu);
    running.cancel();
    await running.result;
    expect(set('KVM_SET_GUEST_DEBUG', debug)).toBe(0);
    // KVM_SET_REGS takes back what is pending.
    expect(set('KVM_SET_REGS', new BytesValue(144))).toBe(0);
    expect(set('KVM_SET_GUEST_DEBUG', debug)).toBe(0);
  });
});

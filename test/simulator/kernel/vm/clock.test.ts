import { describe, expect, test } from 'vitest';
import { type ClockStruct, StructValue } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { faultyAt } from '../../values.ts';

const zero: ClockStruct = { clock: 0n, flags: 0, realtime: 0n, hostTsc: 0n };

function clockOf(driver: Driver, vm: number) {
  return {
    get: () => {
      const clock = new StructValue(zero);
      expect(driver.call(vm, { request: 'KVM_GET_CLOCK', clock })).toBe(0);
      return clock.value;
    },
    set: (change: Partial<ClockStruct>) =>
      driver.call(vm, { request: 'KVM_SET_CLOCK', clock: new StructValue({ ...zero, ...change }) }),
  };
}

describe('kvmclock', () => {
  test('a new VM begins at 0, and time goes by', () => {
    const driver = new Driver();
    const { get } = clockOf(driver, driver.createTd());
    const first = get();
    expect(first.clock).toBeLessThan(1_000_000n);
    expect(get().clock).toBeGreaterThan(first.clock);
  });

  test('it is set to what was asked, plus what went by since the real time that is given', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    const { get, set } = clockOf(driver, vm);
    expect(set({ clock: 7_000_000_000n })).toBe(0);
    expect(get().clock).toBeGreaterThanOrEqual(7_000_000_000n);
    expect(get().clock).toBeLessThan(7_001_000_000n);
    // One of the flags; that of a time to come has no effect.
    expect(set({ clock: 5n, flags: 4, realtime: 2n ** 63n })).toBe(0);
    expect(get().clock).toBeLessThan(1_000_000n);
    expect(set({ clock: 0n, flags: 4, realtime: 0n })).toBe(0);
    expect(get().clock).toBeGreaterThan(1_000_000_000_000_000_000n);
  });

  test('the result of a get may be set; other flags are EINVAL', () => {
    const driver = new Driver();
    const { get, set } = clockOf(driver, driver.createTd());
    expect(set(get())).toBe(0);
    expect(set({ flags: 14 })).toBe(0);
    expect(set({ flags: 1 })).toBe('EINVAL');
    expect(set({ flags: 16 })).toBe('EINVAL');
  });

  test('it is told with the TSC once the master clock runs: after a set, with one vCPU of a TD', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const { get, set } = clockOf(driver, vm);
    driver.createVcpu(vm, 0);
    expect(get()).toMatchObject({ flags: 0, realtime: 0n, hostTsc: 0n });
    set({});
    expect(get().flags).toBe(14);
    expect(get().hostTsc).toBeGreaterThan(0n);
    driver.createVcpu(vm, 1);
    set({});
    expect(get().flags).toBe(0);
  });

  test('a fault of either copy is EFAULT', () => {
    const driver = new Driver();
    const vm = driver.createTd();
    const unwritable = faultyAt(new StructValue(zero), 'write');
    expect(driver.call(vm, { request: 'KVM_GET_CLOCK', clock: unwritable })).toBe('EFAULT');
    const unreadable = faultyAt(new StructValue(zero), 'read');
    expect(driver.call(vm, { request: 'KVM_SET_CLOCK', clock: unreadable })).toBe('EFAULT');
  });

  test('a guest is told that it was paused only where it keeps a kvmclock', () => {
    const driver = new Driver();
    const vcpu = driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number;
    const paused = () => driver.call(vcpu, { request: 'KVM_KVMCLOCK_CTRL' });
    expect(paused()).toBe('EINVAL');
    const entries = [{ index: 0x4b564d01, data: 0x1001n }];
    const msrs = {
      readCount: () => 1,
      readEntries: () => entries,
      writeEntries: () => true,
    };
    driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs });
    expect(paused()).toBe(0);
  });

  test('TSC frequencies of a VM and of a vCPU made from it', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(driver.call(vm, { request: 'KVM_GET_TSC_KHZ' })).toBe(2_000_000);
    driver.setTscKhz(vm, 1_500_000);
    const vcpu = driver.createVcpu(vm, 0) as number;
    expect(driver.call(vcpu, { request: 'KVM_GET_TSC_KHZ' })).toBe(1_500_000);
  });
});

import { describe, expect, test } from 'vitest';
import { CapabilitiesValue, type UserCapabilities } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { command, faulting } from '../../structs.ts';

const capabilitiesOf = (
  driver: Driver,
  vm: number,
  data: UserCapabilities,
  cmd = command('KVM_TDX_CAPABILITIES') as ReturnType<typeof faulting>,
) => driver.call(vm, { request: 'KVM_TDX_CAPABILITIES', cmd: cmd as never, data });

describe('KVM_TDX_CAPABILITIES', () => {
  test('a VM that is no TD is ENOTTY', () => {
    const driver = new Driver();
    expect(driver.capabilities(driver.createVm('KVM_X86_DEFAULT_VM'))).toBe('ENOTTY');
  });

  test('command unreadable EFAULT, hw_error EINVAL, flags EINVAL', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const data = new CapabilitiesValue(128);
    const unreadable = faulting(command('KVM_TDX_CAPABILITIES'), 'read');
    expect(capabilitiesOf(driver, vm, data, unreadable as never)).toBe('EFAULT');
    for (const change of [{ hwError: 1n }, { flags: 1 }]) {
      const cmd = command('KVM_TDX_CAPABILITIES', change);
      expect(capabilitiesOf(driver, vm, data, cmd as never)).toBe('EINVAL');
    }
  });

  test('nent unreadable EFAULT, too small E2BIG, result not writable EFAULT', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const written: unknown[] = [];
    const write = (value: unknown) => written.push(value) > 0;
    const unreadable = { readNent: () => undefined, write };
    expect(capabilitiesOf(driver, vm, unreadable)).toBe('EFAULT');
    expect(capabilitiesOf(driver, vm, { readNent: () => 27, write })).toBe('E2BIG');
    expect(written).toEqual([]);
    expect(capabilitiesOf(driver, vm, { readNent: () => 28, write })).toBe(0);
    const unwritable = { readNent: () => 28, write: () => false };
    expect(capabilitiesOf(driver, vm, unwritable)).toBe('EFAULT');
  });

  test('no memory is ENOMEM', () => {
    const driver = new Driver();
    driver.failAt('KVM_TDX_CAPABILITIES: allocate', 'ENOMEM');
    expect(driver.capabilities(driver.createVm())).toBe('ENOMEM');
  });

  test('the command is never written back', () => {
    const driver = new Driver();
    const cmd = faulting(command('KVM_TDX_CAPABILITIES'), 'write');
    expect(
      capabilitiesOf(driver, driver.createVm(), new CapabilitiesValue(128), cmd as never),
    ).toBe(0);
  });

  test("shows what KVM makes of the module's leaves", () => {
    const driver = new Driver();
    const data = new CapabilitiesValue(128);
    expect(capabilitiesOf(driver, driver.createVm(), data)).toBe(0);
    expect(data.value).toMatchObject({
      supportedAttributes: 1n << 28n,
      supportedXfam: 0x61ae7n,
      userTdvmcallInfo1R11: 2n,
    });
    const leaf = (function_: number, index = 0) =>
      data.value?.cpuid.find((entry) => entry.function === function_ && entry.index === index);
    expect(((leaf(0x8000_0008)?.eax ?? 0) >>> 16) & 0xff).toBe(0xff);
    expect((leaf(7)?.ebx ?? 0) & ((1 << 4) | (1 << 11))).toBe(0);
    expect((leaf(7)?.ecx ?? 0) & (1 << 5)).toBe(0);
    expect(data.value?.cpuid.every((entry) => entry.flags === 0)).toBe(true);
  });
});

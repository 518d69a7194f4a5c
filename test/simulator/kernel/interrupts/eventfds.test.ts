/**
 * Eventfds where they are taken, and where several conditions hold. The answers for default VMs are
 * also those of /dev/kvm (Linux 6.18).
 */
import { describe, expect, test } from 'vitest';
import type { IrqfdStruct } from '../../../../src/simulator/index.ts';
import { Driver, type Irqchip } from '../../drive.ts';

function vmWith(irqchip: Irqchip) {
  const driver = new Driver();
  return { driver, vm: driver.plainVm(irqchip) };
}

const deassign = 1;
const resample = 2;

describe('KVM_IRQFD', () => {
  test.each([
    ['unknown flags, before the fd is looked at', { flags: 4, eventfd: 'not open' }, 'EINVAL'],
    ['deassigning an fd that is not open', { flags: deassign, eventfd: 'not open' }, 'EBADF'],
    ['deassigning what is not there', { flags: deassign }, 0],
    ['one as it should be', {}, 0],
  ] as const)('KVM_IRQFD decides on %s', (_, change: Partial<IrqfdStruct>, answer) => {
    const { driver, vm } = vmWith('split');
    expect(driver.irqfd(vm, change)).toBe(answer);
  });

  test('without an irqchip it is EINVAL, whatever the fd', () => {
    const { driver, vm } = vmWith('none');
    expect(driver.irqfd(vm, { eventfd: 'not open' })).toBe('EINVAL');
  });

  test('an interrupt can be sampled again where the I/O APIC is in the kernel', () => {
    const { driver, vm } = vmWith('kernel');
    expect(driver.irqfd(vm, { flags: resample, resamplefd: { id: 9 } })).toBe(0);
  });

  test('an eventfd has one irqfd, of whatever VM, until that is deassigned with its GSI', () => {
    const { driver, vm } = vmWith('split');
    const other = driver.createTd();
    expect(driver.irqfd(vm, { gsi: 5 })).toBe(0);
    expect(driver.irqfd(vm, { gsi: 6 })).toBe('EBUSY');
    expect(driver.irqfd(other)).toBe('EBUSY');
    expect(driver.irqfd(vm, { gsi: 6, flags: deassign })).toBe(0);
    expect(driver.irqfd(other)).toBe('EBUSY');
    expect(driver.irqfd(vm, { gsi: 5, flags: deassign })).toBe(0);
    expect(driver.irqfd(other)).toBe(0);
  });

  test('a VM gives up its irqfds as its own fd closes, though a vCPU keeps it alive', () => {
    const { driver, vm } = vmWith('split');
    driver.createVcpu(vm, 0);
    driver.irqfd(vm);
    driver.release(vm);
    expect(driver.machine.snapshot().vms).toHaveLength(1);
    expect(driver.irqfd(driver.createTd())).toBe(0);
  });
});

const datamatch = 1;
const pio = 2;
const deassignIo = 4;

describe('KVM_IOEVENTFD', () => {
  test('one of any length may be at the last address', () => {
    const { driver, vm } = vmWith('none');
    expect(driver.ioeventfd(vm, { len: 0, addr: 2n ** 64n - 1n })).toBe(0);
  });

  test('deassigning looks at no length: one that cannot be is not there', () => {
    const { driver, vm } = vmWith('none');
    expect(driver.ioeventfd(vm, { flags: deassignIo, len: 3 })).toBe('ENOENT');
  });

  test('those that a write could hit both collide; another length, port or data does not', () => {
    const { driver, vm } = vmWith('none');
    expect(driver.ioeventfd(vm)).toBe(0);
    expect(driver.ioeventfd(vm, { flags: datamatch, datamatch: 5n })).toBe('EEXIST');
    expect(driver.ioeventfd(vm, { len: 0 })).toBe('EEXIST');
    expect(driver.ioeventfd(vm, { len: 8 })).toBe(0);
    expect(driver.ioeventfd(vm, { flags: pio })).toBe(0);
    expect(driver.ioeventfd(vm, { len: 2, flags: datamatch, datamatch: 5n })).toBe(0);
    expect(driver.ioeventfd(vm, { len: 2, flags: datamatch, datamatch: 6n })).toBe(0);
  });

  test('only the very same is deassigned, and once', () => {
    const { driver, vm } = vmWith('none');
    driver.ioeventfd(vm);
    expect(driver.ioeventfd(vm, { flags: deassignIo, len: 8 })).toBe('ENOENT');
    expect(driver.ioeventfd(vm, { flags: deassignIo | datamatch })).toBe('ENOENT');
    expect(driver.ioeventfd(vm, { flags: deassignIo, eventfd: { id: 3 } })).toBe('ENOENT');
    expect(driver.ioeventfd(vm, { flags: deassignIo })).toBe(0);
    expect(driver.ioeventfd(vm, { flags: deassignIo })).toBe('ENOENT');
  });
});

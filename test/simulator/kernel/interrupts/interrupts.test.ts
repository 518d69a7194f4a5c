/**
 * Interrupts where the requests are taken, and where several conditions hold. The answers for default
 * VMs are also those of /dev/kvm (Linux 6.18), unless a test says so.
 */
import { describe, expect, test } from 'vitest';
import { type GsiRoute, StructValue } from '../../../../src/simulator/index.ts';
import { Driver, type Irqchip } from '../../drive.ts';
import {
  chipRoute,
  coalescedZone,
  faultyAt,
  gsiRouting,
  irqchipState,
  msiStruct,
} from '../../values.ts';

function vmWith(irqchip: Irqchip) {
  const driver = new Driver();
  const vm = driver.plainVm(irqchip);
  const route = (routes: Partial<GsiRoute>[]) =>
    driver.call(vm, { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting(routes) });
  return { driver, vm, route };
}

const msi = { type: 2 };

describe('KVM_SET_GSI_ROUTING', () => {
  test.each([
    ['no routes', [], 0, 0],
    ['an MSI', [msi], 0, 0],
    ['an MSI with a device id', [{ ...msi, flags: 1 }], 0, 0],
    ['a pin of the I/O APIC', [chipRoute(2, 23)], 'EINVAL', 0],
    ['a GSI on two chips', [chipRoute(2, 1), chipRoute(0, 1)], 'EINVAL', 0],
  ] as const)(
    'KVM_SET_GSI_ROUTING decides on %s, by who has the irqchip',
    (_, routes, split, kernel) => {
      expect(vmWith('none').route([...routes])).toBe('EINVAL');
      expect(vmWith('split').route([...routes])).toBe(split);
      expect(vmWith('kernel').route([...routes])).toBe(kernel);
    },
  );

  test('faults: the header before the irqchip is asked for, the entries after', () => {
    for (const [method, answer] of [
      ['readHeader', 'EFAULT'],
      ['readEntries', 'EINVAL'],
    ] as const) {
      const { driver, vm } = vmWith('none');
      const routing = faultyAt(gsiRouting([msi]), method);
      expect(driver.call(vm, { request: 'KVM_SET_GSI_ROUTING', routing })).toBe(answer);
    }
  });

  test('with 32-bit APIC ids the low byte of the high address must be 0', () => {
    const { driver, vm, route } = vmWith('split');
    const high = { ...msi, words: [0, 1, 0, 0] } as const;
    expect(route([high])).toBe(0);
    driver.cap(vm, 'KVM_CAP_X2APIC_API', 1n);
    expect(route([high])).toBe('EINVAL');
  });

  test('a table that is refused leaves the old one', () => {
    const { driver, vm, route } = vmWith('split');
    driver.createVcpu(vm, 0);
    route([{ ...msi, gsi: 3 }]);
    expect(route([msi, msi])).toBe('EINVAL');
    const line = new StructValue({ irq: 3, level: 1 });
    expect(driver.call(vm, { request: 'KVM_IRQ_LINE_STATUS', line })).toBe(0);
    expect(line.value.irq).toBe(0);
  });
});

describe('KVM_SIGNAL_MSI', () => {
  test.each([
    ['split', 0],
    ['split', 1],
    ['kernel', 0],
  ] as const)('irqchip %s, flags %i: it is heard by none before a guest runs', (irqchip, flags) => {
    const { driver, vm } = vmWith(irqchip);
    driver.createVcpu(vm, 0);
    expect(driver.call(vm, { request: 'KVM_SIGNAL_MSI', msi: msiStruct({ flags }) })).toBe(0);
  });
});

describe('KVM_IRQ_LINE', () => {
  const raise = (irqchip: Irqchip, irq: number, levels: number[]) => {
    const { driver, vm } = vmWith(irqchip);
    return levels.map((level) => {
      const line = new StructValue({ irq, level });
      driver.must(vm, { request: 'KVM_IRQ_LINE_STATUS', line });
      return line.value.irq;
    });
  };

  test('a line that leads nowhere has the status -1', () => {
    expect(raise('split', 3, [1, 0])).toEqual([-1, -1]);
  });

  test('both PICs take what comes in, and the I/O APIC has its pins masked', () => {
    expect(raise('kernel', 3, [1, 1, 0])).toEqual([1, 1, 2]);
    expect(raise('kernel', 20, [1, 1, 0])).toEqual([-1, 0, 1]);
  });

  test('the older one tells no status', () => {
    const { driver, vm } = vmWith('split');
    const line = new StructValue({ irq: 3, level: 1 });
    expect(driver.call(vm, { request: 'KVM_IRQ_LINE', line })).toBe(0);
    expect(line.value).toEqual({ irq: 3, level: 1 });
  });
});

describe('coalesced MMIO', () => {
  test('the same zone may be there twice, and none is taken away without error', () => {
    const { driver, vm } = vmWith('none');
    const register = () =>
      driver.call(vm, { request: 'KVM_REGISTER_COALESCED_MMIO', zone: coalescedZone() });
    expect([register(), register()]).toEqual([0, 0]);
    const zone = coalescedZone({ addr: 0x9000n });
    expect(driver.call(vm, { request: 'KVM_UNREGISTER_COALESCED_MMIO', zone })).toBe(0);
  });

  test.each([
    ['none', 0, 1000],
    ['none', 1, 1000],
    ['kernel', 0, 999],
    ['kernel', 1, 997],
  ] as const)('irqchip %s, pio %i: a bus has room for %i', (irqchip, pio, room) => {
    const { driver, vm } = vmWith(irqchip);
    // ioeventfds do not count.
    driver.ioeventfd(vm, { flags: 2 * pio });
    const register = () =>
      driver.call(vm, { request: 'KVM_REGISTER_COALESCED_MMIO', zone: coalescedZone({ pio }) });
    for (let i = 0; i < room; i++) expect(register()).toBe(0);
    expect(register()).toBe('ENOSPC');
  });
});

describe('the irqchip and its timer', () => {
  test('the struct is read before a PIC is asked for, and the chip looked at after', () => {
    for (const irqchip of ['none', 'split'] as const) {
      const { driver, vm } = vmWith(irqchip);
      const config = faultyAt(new StructValue({ flags: 0 }), 'read');
      expect(driver.call(vm, { request: 'KVM_CREATE_PIT2', config })).toBe('EFAULT');
      expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: irqchipState(3) })).toBe('ENXIO');
      const faulty = faultyAt(irqchipState(0), 'read');
      expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: faulty })).toBe('EFAULT');
    }
  });

  test('the chips begin as after a reset', () => {
    const { driver, vm } = vmWith('kernel');
    const shown = [0, 1, 2].map((id) => {
      const bytes = irqchipState(id);
      expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: bytes })).toBe(0);
      return bytes;
    });
    expect(shown[0]?.bytes[23]).toBe(0xf8);
    expect(shown[1]?.bytes[23]).toBe(0xde);
    expect(shown[2]?.view.getBigUint64(8, true)).toBe(0xfec0_0000n);
    expect(shown[2]?.bytes[34]).toBe(1);
  });

  test('what is written is what is read', () => {
    const { driver, vm } = vmWith('kernel');
    const written = irqchipState(1);
    written.bytes.fill(7, 8);
    expect(driver.call(vm, { request: 'KVM_SET_IRQCHIP', chip: written })).toBe(0);
    const shown = irqchipState(1);
    driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: shown });
    expect(shown.bytes).toEqual(written.bytes);
  });
});

/** The answers for default VMs are also those of /dev/kvm (Linux 6.18), unless a test says so. */
import { describe, expect, test } from 'vitest';
import { type GsiRoute, StructValue } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { BytesValue, faultyAt, gsiRouting } from '../../values.ts';

const irqchips = ['none', 'split', 'kernel'] as const;

function vmWith(irqchip: (typeof irqchips)[number]) {
  const driver = new Driver();
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  if (irqchip === 'split') driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  if (irqchip === 'kernel') driver.call(vm, { request: 'KVM_CREATE_IRQCHIP' });
  const route = (routes: Partial<GsiRoute>[], header = {}) =>
    driver.call(vm, { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting(routes, header) });
  return { driver, vm, route };
}

const msi = { type: 2 };
const pin = (chip: number, number: number): Partial<GsiRoute> => ({
  type: 1,
  words: [chip, number, 0, 0],
});

describe('KVM_SET_GSI_ROUTING', () => {
  test.each([
    ['no routes', [], {}, 0, 0],
    ['one more than 4096', [msi], { nr: 4097 }, 'EINVAL', 'EINVAL'],
    ['flags', [msi], { flags: 1 }, 'EINVAL', 'EINVAL'],
    ['an MSI', [msi], {}, 0, 0],
    ['an MSI with a device id', [{ ...msi, flags: 1 }], {}, 0, 0],
    ['an MSI with another flag', [{ ...msi, flags: 2 }], {}, 'EINVAL', 'EINVAL'],
    ['two MSIs of a GSI', [msi, msi], {}, 'EINVAL', 'EINVAL'],
    ['a GSI beyond the last', [{ ...msi, gsi: 4096 }], {}, 'EINVAL', 'EINVAL'],
    ['an unknown type', [{ type: 0 }], {}, 'EINVAL', 'EINVAL'],
    ['a pin of the I/O APIC', [pin(2, 23)], {}, 'EINVAL', 0],
    ['a pin that the I/O APIC lacks', [pin(2, 24)], {}, 'EINVAL', 'EINVAL'],
    ['a pin that a PIC lacks', [pin(0, 8)], {}, 'EINVAL', 'EINVAL'],
    ['a fourth chip', [pin(3, 0)], {}, 'EINVAL', 'EINVAL'],
    ['a GSI on two chips', [pin(2, 1), pin(0, 1)], {}, 'EINVAL', 0],
    ['a GSI twice on one chip', [pin(2, 1), pin(2, 2)], {}, 'EINVAL', 'EINVAL'],
    ['a pin and an MSI', [pin(2, 1), msi], {}, 'EINVAL', 'EINVAL'],
  ] as const)(
    'KVM_SET_GSI_ROUTING decides on %s, by who has the irqchip',
    (_, routes, header, split, kernel) => {
      expect(vmWith('none').route([...routes], header)).toBe('EINVAL');
      expect(vmWith('split').route([...routes], header)).toBe(split);
      expect(vmWith('kernel').route([...routes], header)).toBe(kernel);
    },
  );

  test('faults: the header before the irqchip is asked for, the entries after', () => {
    for (const [irqchip, method, answer] of [
      ['none', 'readHeader', 'EFAULT'],
      ['none', 'readEntries', 'EINVAL'],
      ['split', 'readEntries', 'EFAULT'],
    ] as const) {
      const { driver, vm } = vmWith(irqchip);
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
  const send = (irqchip: (typeof irqchips)[number], change: object = {}, vcpus = 1) => {
    const { driver, vm } = vmWith(irqchip);
    for (let id = 0; id < vcpus; id++) driver.createVcpu(vm, id);
    const none = { addressLo: 0xfee0_0000, addressHi: 0, data: 0x40, flags: 0, devid: 0 };
    const sent = new StructValue({ ...none, ...change });
    return driver.call(vm, { request: 'KVM_SIGNAL_MSI', msi: sent });
  };

  test('needs an irqchip in the kernel, and takes no flag but the device id', () => {
    expect(send('none')).toBe('EINVAL');
    expect(send('split', { flags: 2 })).toBe('EINVAL');
    expect(send('split', { flags: 1 })).toBe(0);
  });

  test('the value is how many got it, none before a guest runs; without vCPUs it is EPERM', () => {
    expect(send('split')).toBe(0);
    expect(send('kernel')).toBe(0);
    expect(send('split', {}, 0)).toBe('EPERM');
  });
});

describe('KVM_IRQ_LINE', () => {
  const raise = (irqchip: (typeof irqchips)[number], irq: number, levels: number[]) => {
    const { driver, vm } = vmWith(irqchip);
    return levels.map((level) => {
      const line = new StructValue({ irq, level });
      const answer = driver.call(vm, { request: 'KVM_IRQ_LINE_STATUS', line });
      return answer === 0 ? line.value.irq : answer;
    });
  };

  test('without an irqchip it is ENXIO', () => {
    expect(raise('none', 3, [1])).toEqual(['ENXIO']);
  });

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
  const zone = (change = {}) => new StructValue({ addr: 0x1000n, size: 16, pio: 0, ...change });

  test('pio is 0 or 1; the same zone may be there twice, and none is taken away without error', () => {
    const { driver, vm } = vmWith('none');
    const register = (change = {}) =>
      driver.call(vm, { request: 'KVM_REGISTER_COALESCED_MMIO', zone: zone(change) });
    expect([register({ pio: 2 }), register(), register()]).toEqual(['EINVAL', 0, 0]);
    const request = 'KVM_UNREGISTER_COALESCED_MMIO';
    expect(driver.call(vm, { request, zone: zone({ pio: 2 }) })).toBe('EINVAL');
    expect(driver.call(vm, { request, zone: zone({ addr: 0x9000n }) })).toBe(0);
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
      driver.call(vm, { request: 'KVM_REGISTER_COALESCED_MMIO', zone: zone({ pio }) });
    for (let i = 0; i < room; i++) expect(register()).toBe(0);
    expect(register()).toBe('ENOSPC');
  });
});

describe('the irqchip and its timer', () => {
  const chip = (id: number) => {
    const bytes = new BytesValue(520);
    bytes.view.setUint32(0, id, true);
    return bytes;
  };

  test('without a PIC: no timer (ENOENT), no state (ENXIO); the struct is read first', () => {
    for (const irqchip of ['none', 'split'] as const) {
      const { driver, vm } = vmWith(irqchip);
      const config = new StructValue({ flags: 0 });
      expect(driver.call(vm, { request: 'KVM_CREATE_PIT' })).toBe('ENOENT');
      expect(driver.call(vm, { request: 'KVM_CREATE_PIT2', config })).toBe('ENOENT');
      const unread = faultyAt(config, 'read');
      expect(driver.call(vm, { request: 'KVM_CREATE_PIT2', config: unread })).toBe('EFAULT');
      expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: chip(3) })).toBe('ENXIO');
      const faulty = faultyAt(chip(0), 'read');
      expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: faulty })).toBe('EFAULT');
    }
  });

  test('with one: a single timer, and chips 0 to 2 begin as after a reset', () => {
    const { driver, vm } = vmWith('kernel');
    expect(driver.call(vm, { request: 'KVM_CREATE_PIT' })).toBe(0);
    expect(driver.call(vm, { request: 'KVM_CREATE_PIT' })).toBe('EEXIST');
    expect(driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: chip(3) })).toBe('EINVAL');
    const shown = [0, 1, 2].map((id) => {
      const bytes = chip(id);
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
    const written = chip(1);
    written.bytes.fill(7, 8);
    expect(driver.call(vm, { request: 'KVM_SET_IRQCHIP', chip: written })).toBe(0);
    const shown = chip(1);
    driver.call(vm, { request: 'KVM_GET_IRQCHIP', chip: shown });
    expect(shown.bytes).toEqual(written.bytes);
  });
});

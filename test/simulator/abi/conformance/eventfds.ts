/** Eventfds, and the buses of a guest's I/O. */
import type { Handle, Request } from '../../../../src/simulator/index.ts';
import type { Driver, Irqchip } from '../../drive.ts';
import { ioeventfdStruct, irqfdStruct } from '../../structs.ts';
import { coalescedZone } from '../../values.ts';
import type { Call, ConformanceTable } from './case.ts';

const irqfd =
  (change: Parameters<typeof irqfdStruct>[0], irqchip: Irqchip = 'split'): Call =>
  (driver) =>
    driver.irqfd(driver.plainVm(irqchip), change);

const resample = 2;
const resampling = (resamplefd: 'not open' | 'not an eventfd' | { readonly id: number }) => ({
  flags: resample,
  resamplefd,
});

const ioeventfd =
  (
    change: Parameters<typeof ioeventfdStruct>[0],
    arrange: (driver: Driver, vm: Handle) => void = () => {},
  ): Call =>
  (driver) => {
    const vm = driver.plainVm();
    arrange(driver, vm);
    return driver.ioeventfd(vm, change);
  };

const datamatch = 1;
const deassign = 4;

const register = (pio = 0): Request => ({
  request: 'KVM_REGISTER_COALESCED_MMIO',
  zone: coalescedZone({ pio }),
});
const unregister = (pio = 0): Request => ({
  request: 'KVM_UNREGISTER_COALESCED_MMIO',
  zone: coalescedZone({ pio }),
});

/** NR_IOBUS_DEVS */
function fillBus(driver: Driver, vm: Handle): void {
  for (let device = 0; device < 1000; device++) driver.must(vm, register());
}

export const eventfds: ConformanceTable = {
  KVM_IRQFD: {
    handle: (driver) => driver.plainVm('split'),
    request: () => ({ request: 'KVM_IRQFD', irqfd: irqfdStruct() }),
    cases: {
      'irqfd.flags': irqfd({ flags: 4 }),
      'irqfd.no-irqchip': irqfd({}, 'none'),
      'irqfd.resample-split': irqfd(resampling({ id: 9 })),
      'eventfd.closed': irqfd({ eventfd: 'not open' }),
      'eventfd.other-file': irqfd({ eventfd: 'not an eventfd' }),
      'irqfd.resamplefd-closed': irqfd(resampling('not open'), 'kernel'),
      'irqfd.resamplefd-other-file': irqfd(resampling('not an eventfd'), 'kernel'),
      'irqfd.eventfd-taken': (driver) => {
        driver.irqfd(driver.createTd());
        return driver.irqfd(driver.plainVm('split'));
      },
    },
  },
  KVM_IOEVENTFD: {
    handle: (driver) => driver.plainVm(),
    request: () => ({ request: 'KVM_IOEVENTFD', ioeventfd: ioeventfdStruct() }),
    cases: {
      'ioeventfd.length': ioeventfd({ len: 3 }),
      'ioeventfd.range': ioeventfd({ addr: 2n ** 64n - 4n }),
      'ioeventfd.flags': ioeventfd({ flags: 0x20 }),
      'ioeventfd.datamatch-without-length': ioeventfd({ len: 0, flags: datamatch }),
      'eventfd.closed': ioeventfd({ eventfd: 'not open' }),
      'eventfd.other-file': ioeventfd({ eventfd: 'not an eventfd' }),
      'ioeventfd.collides': ioeventfd({}, (driver, vm) => {
        driver.ioeventfd(vm);
      }),
      'io-bus.full': ioeventfd({}, fillBus),
      'ioeventfd.not-there': ioeventfd({ flags: deassign }),
    },
  },
  KVM_REGISTER_COALESCED_MMIO: {
    handle: (driver) => driver.plainVm(),
    request: () => register(),
    cases: {
      'coalesced-mmio.pio': (driver) => driver.call(driver.plainVm(), register(2)),
      'io-bus.full': (driver) => {
        const vm = driver.plainVm();
        fillBus(driver, vm);
        return driver.call(vm, register());
      },
    },
  },
  KVM_UNREGISTER_COALESCED_MMIO: {
    handle: (driver) => driver.plainVm(),
    request: () => unregister(),
    cases: {
      'coalesced-mmio.pio': (driver) => driver.call(driver.plainVm(), unregister(2)),
    },
  },
};

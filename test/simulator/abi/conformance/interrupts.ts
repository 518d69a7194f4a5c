/** Interrupt controllers, and interrupts that user space raises. */
import {
  type GsiRoute,
  type Handle,
  type Request,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver, Irqchip } from '../../drive.ts';
import { chipRoute, faultyAt, gsiRouting, irqchipState, msiStruct } from '../../values.ts';
import type { Call, Case, Conformance, ConformanceTable } from './case.ts';

type Arrange = (driver: Driver, vm: Handle) => void;

/** The request on a VM of the default type that was made ready for it. */
const asked =
  (irqchip: Irqchip, request: Request, arrange: Arrange = () => {}): Call =>
  (driver) => {
    const vm = driver.plainVm(irqchip);
    arrange(driver, vm);
    return driver.call(vm, request);
  };

const askedOnVcpu =
  (irqchip: Irqchip, request: Request): Call =>
  (driver) =>
    driver.call(driver.plainVcpu(irqchip), request);

const withVcpu: Arrange = (driver, vm) => {
  driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
};

/** KVM_CAP_X2APIC_API with KVM_X2APIC_API_USE_32BIT_IDS. */
const withLongApicIds: Arrange = (driver, vm) => {
  driver.cap(vm, 'KVM_CAP_X2APIC_API', 1n);
};

/** The request on each VM that has no PIC and no I/O APIC in the kernel. */
const withoutChips = (request: Request): readonly Case[] =>
  (['none', 'split'] as const).map((irqchip) => ({
    title: `irqchip ${irqchip}`,
    provoke: asked(irqchip, request),
  }));

const createIrqchip: Request = { request: 'KVM_CREATE_IRQCHIP' };

const createPit = (request: Request): Conformance => ({
  handle: (driver) => driver.plainVm('kernel'),
  request: () => request,
  cases: {
    'create-pit.exists': asked('kernel', request, (driver, vm) => {
      driver.must(vm, { request: 'KVM_CREATE_PIT' });
    }),
    'create-pit.no-pic': withoutChips(request),
  },
});

function chipState(request: 'KVM_GET_IRQCHIP' | 'KVM_SET_IRQCHIP'): Conformance {
  const state = (chip: number): Request => ({ request, chip: irqchipState(chip) });
  return {
    handle: (driver) => driver.plainVm('kernel'),
    request: () => state(0),
    cases: {
      'irqchip.not-in-kernel': withoutChips(state(0)),
      'irqchip.unknown-chip': asked('kernel', state(3)),
    },
  };
}

const routing = (
  routes: readonly Partial<GsiRoute>[],
  header: Parameters<typeof gsiRouting>[1] = {},
): Request => ({ request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting(routes, header) });

/** What {@link gsiRouting} makes of no fields at all. */
const msiRoute: Partial<GsiRoute> = {};

const signalMsi = (change: Parameters<typeof msiStruct>[0] = {}): Request => ({
  request: 'KVM_SIGNAL_MSI',
  msi: msiStruct(change),
});

function irqLine(request: 'KVM_IRQ_LINE' | 'KVM_IRQ_LINE_STATUS'): Conformance {
  const raised = (): Request => ({ request, line: new StructValue({ irq: 3, level: 1 }) });
  return {
    handle: (driver) => driver.plainVm('split'),
    request: raised,
    cases: { 'irq-line.no-irqchip': asked('none', raised()) },
  };
}

const interrupt = (vector: number): Request => ({
  request: 'KVM_INTERRUPT',
  vector: new StructValue(vector),
});

const tprReporting = (flags: number): Request => ({
  request: 'KVM_TPR_ACCESS_REPORTING',
  control: new StructValue({ enabled: 1, flags }),
});

const vapicAt = (address: bigint): Request => ({
  request: 'KVM_SET_VAPIC_ADDR',
  address: new StructValue(address),
});

export const interrupts: ConformanceTable = {
  KVM_CREATE_IRQCHIP: {
    handle: (driver) => driver.plainVm(),
    request: () => createIrqchip,
    cases: {
      'create-irqchip.exists': [
        { title: 'in the kernel', provoke: asked('kernel', createIrqchip) },
        { title: 'split', provoke: asked('split', createIrqchip) },
      ],
      'create-irqchip.td-needs-split': (driver) => driver.call(driver.createVm(), createIrqchip),
      'create-irqchip.too-late': asked('none', createIrqchip, withVcpu),
    },
  },
  KVM_CREATE_PIT: createPit({ request: 'KVM_CREATE_PIT' }),
  KVM_CREATE_PIT2: createPit({ request: 'KVM_CREATE_PIT2', config: new StructValue({ flags: 0 }) }),
  KVM_GET_IRQCHIP: chipState('KVM_GET_IRQCHIP'),
  KVM_SET_IRQCHIP: chipState('KVM_SET_IRQCHIP'),
  KVM_SET_GSI_ROUTING: {
    handle: (driver) => driver.plainVm('split'),
    request: () => routing([msiRoute]),
    cases: {
      'gsi-routing.no-irqchip': asked('none', routing([msiRoute])),
      'gsi-routing.too-many': asked('split', routing([msiRoute], { nr: 4097 })),
      'gsi-routing.flags': asked('split', routing([msiRoute], { flags: 1 })),
      'gsi-routing.entries-unreadable': asked('split', {
        request: 'KVM_SET_GSI_ROUTING',
        routing: faultyAt(gsiRouting([msiRoute]), 'readEntries'),
      }),
      'gsi-routing.gsi-range': asked('split', routing([{ gsi: 4096 }])),
      'gsi-routing.entry-flags': [
        { title: 'of an MSI', provoke: asked('split', routing([{ flags: 2 }])) },
        {
          title: 'of a pin',
          provoke: asked('kernel', routing([{ ...chipRoute(2, 1), flags: 1 }])),
        },
      ],
      'gsi-routing.clash': [
        { title: 'two MSIs', provoke: asked('split', routing([msiRoute, msiRoute])) },
        {
          title: 'two pins of a chip',
          provoke: asked('kernel', routing([chipRoute(2, 1), chipRoute(2, 2)])),
        },
        {
          title: 'a pin and an MSI',
          provoke: asked('kernel', routing([chipRoute(2, 1), msiRoute])),
        },
      ],
      'gsi-routing.unknown-type': asked('split', routing([{ type: 0 }])),
      'gsi-routing.split': asked('split', routing([chipRoute(2, 1)])),
      'gsi-routing.pin': [
        { title: 'of the I/O APIC', provoke: asked('kernel', routing([chipRoute(2, 24)])) },
        { title: 'of a PIC', provoke: asked('kernel', routing([chipRoute(0, 8)])) },
        { title: 'of a fourth chip', provoke: asked('kernel', routing([chipRoute(3, 0)])) },
      ],
      'gsi-routing.msi-address': asked(
        'split',
        routing([{ words: [0, 1, 0, 0] }]),
        withLongApicIds,
      ),
      'gsi-routing.xen-priority': asked('split', routing([{ type: 5 }])),
    },
  },
  KVM_SIGNAL_MSI: {
    handle: (driver) => {
      const vm = driver.plainVm('split');
      withVcpu(driver, vm);
      return vm;
    },
    request: () => signalMsi(),
    cases: {
      'signal-msi.no-irqchip': asked('none', signalMsi(), withVcpu),
      'signal-msi.flags': asked('split', signalMsi({ flags: 2 }), withVcpu),
      'signal-msi.address': asked('split', signalMsi({ addressHi: 1 }), (driver, vm) => {
        withVcpu(driver, vm);
        withLongApicIds(driver, vm);
      }),
      'signal-msi.no-vcpu': asked('split', signalMsi()),
    },
  },
  KVM_IRQ_LINE: irqLine('KVM_IRQ_LINE'),
  KVM_IRQ_LINE_STATUS: irqLine('KVM_IRQ_LINE_STATUS'),
  KVM_NMI: {
    handle: (driver) => driver.plainVcpu(),
    request: () => ({ request: 'KVM_NMI' }),
    cases: {},
  },
  KVM_SMI: {
    handle: (driver) => driver.plainVcpu(),
    request: () => ({ request: 'KVM_SMI' }),
    cases: {
      'smi.no-smm': (driver) =>
        driver.call(driver.newVcpu(driver.initializedTd(), 0), { request: 'KVM_SMI' }),
    },
  },
  KVM_INTERRUPT: {
    handle: (driver) => driver.plainVcpu('split'),
    request: () => interrupt(32),
    cases: {
      'interrupt.vector': askedOnVcpu('split', interrupt(256)),
      'interrupt.pic-in-kernel': askedOnVcpu('kernel', interrupt(32)),
      'interrupt.pending': (driver) => {
        const vcpu = driver.plainVcpu('split');
        driver.must(vcpu, interrupt(32));
        return driver.call(vcpu, interrupt(32));
      },
    },
  },
  KVM_TPR_ACCESS_REPORTING: {
    handle: (driver) => driver.plainVcpu('split'),
    request: () => tprReporting(0),
    cases: { 'tpr-access-reporting.flags': askedOnVcpu('split', tprReporting(1)) },
  },
  KVM_SET_VAPIC_ADDR: {
    handle: (driver) => driver.plainVcpu('split'),
    request: () => vapicAt(0n),
    cases: {
      'set-vapic-addr.no-lapic': askedOnVcpu('none', vapicAt(0n)),
      'set-vapic-addr.no-slot': askedOnVcpu('split', vapicAt(0x1000n)),
    },
  },
};

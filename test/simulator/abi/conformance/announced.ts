/** Requests that a capability announces, and that move one small struct. */
import {
  CpuidValue,
  type Handle,
  type HypervEventfdStruct,
  type Request,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { BytesValue, faultyAt } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

type Field = readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: bigint];

/** A struct with some of its fields set. */
export function structOf(length: number, ...fields: readonly Field[]): BytesValue {
  const struct = new BytesValue(length);
  for (const [offset, bytes, value] of fields) {
    for (let i = 0; i < bytes; i++) {
      struct.bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }
  return struct;
}

type WithStruct = Extract<Request, { readonly struct: unknown }>['request'];

const plainVm = (driver: Driver) => driver.plainVm();
const plainVcpu = (driver: Driver) => driver.plainVcpu();

/** The request with this struct, on a file made for it. */
const asked =
  (on: (driver: Driver) => Handle, request: WithStruct, struct: BytesValue): Call =>
  (driver) =>
    driver.call(on(driver), { request, struct } as Request);

function pit(
  request: 'KVM_GET_PIT' | 'KVM_SET_PIT' | 'KVM_GET_PIT2' | 'KVM_SET_PIT2' | 'KVM_REINJECT_CONTROL',
): Conformance {
  return {
    handle: (driver) => {
      const vm = driver.plainVm('kernel');
      driver.must(vm, { request: 'KVM_CREATE_PIT' });
      return vm;
    },
    request: () => ({ request, struct: new BytesValue(112) }),
    cases: {
      'pit-state.no-pit': asked((driver) => driver.plainVm('kernel'), request, new BytesValue(112)),
    },
  };
}

const pmuFilter = (...fields: readonly Field[]) =>
  asked(plainVm, 'KVM_SET_PMU_EVENT_FILTER', structOf(32 + 8 * 301, ...fields));

const hypervEventfd = (change: Partial<HypervEventfdStruct> = {}): Request => ({
  request: 'KVM_HYPERV_EVENTFD',
  args: new StructValue({ connId: 1, eventfd: { id: 1 }, flags: 0, ...change }),
});
const onVm =
  (...requests: readonly Request[]): Call =>
  (driver) => {
    const vm = driver.plainVm();
    return requests.map((request) => driver.call(vm, request)).at(-1) ?? 0;
  };

const xenConfig = (...fields: readonly Field[]) =>
  asked(plainVm, 'KVM_XEN_HVM_CONFIG', structOf(56, ...fields));
const xenAttr = (
  request: WithStruct,
  on: (driver: Driver) => Handle,
  ...fields: readonly Field[]
) => asked(on, request, structOf(72, ...fields));
const setVm = (...fields: readonly Field[]) => xenAttr('KVM_XEN_HVM_SET_ATTR', plainVm, ...fields);
const setVcpu = (...fields: readonly Field[]) =>
  xenAttr('KVM_XEN_VCPU_SET_ATTR', plainVcpu, ...fields);
const type = (number: number): Field => [0, 2, BigInt(number)];
const unmapped = (driver: Driver) => {
  driver.unreadable.add(0x5000n);
  return driver;
};

const evtchn = (...fields: readonly Field[]) =>
  asked(
    plainVcpusVm,
    'KVM_XEN_HVM_EVTCHN_SEND',
    structOf(12, [0, 4, 1n], [8, 4, 0xffff_ffffn], ...fields),
  );

function plainVcpusVm(driver: Driver): Handle {
  const vm = driver.plainVm();
  driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  return vm;
}

/** IA32_TSC by its id. */
const tsc: readonly Field[] = [
  [0, 4, 0x10n],
  [4, 1, 2n],
  [6, 1, 0x30n],
  [7, 1, 0x20n],
];

function oneReg(request: 'KVM_GET_ONE_REG' | 'KVM_SET_ONE_REG'): Conformance {
  const value = new StructValue(0n);
  const withId =
    (...fields: readonly Field[]): Call =>
    (driver) =>
      driver.call(driver.plainVcpu(), { request, struct: structOf(16, ...tsc, ...fields), value });
  const withValue =
    (faulty: typeof value): Call =>
    (driver) =>
      driver.call(driver.plainVcpu(), { request, struct: structOf(16, ...tsc), value: faulty });
  return {
    handle: plainVcpu,
    request: () => ({ request, struct: structOf(16, ...tsc), value }),
    cases: {
      'one-reg.architecture': withId([7, 1, 0x60n]),
      'one-reg.reserved': [{ provoke: withId([5, 1, 1n]) }, { provoke: withId([6, 1, 0x31n]) }],
      'one-reg.unknown': [
        { title: 'another type', provoke: withId([4, 1, 1n]) },
        { title: 'no shadow stack', provoke: withId([0, 4, 0n], [4, 1, 3n]) },
      ],
      'one-reg.size': withId([6, 1, 0x20n]),
      'one-reg.refused': withId([0, 4, 0x1234_5678n]),
      ...(request === 'KVM_GET_ONE_REG'
        ? { 'one-reg.value-unwritable': withValue(faultyAt(value, 'write')) }
        : { 'one-reg.value-unreadable': withValue(faultyAt(value, 'read')) }),
    },
  };
}

/** A vCPU whose guest has shadow stacks. */
function withShadowStacks(driver: Driver): Handle {
  const vcpu = driver.plainVcpu();
  const leaf = { function: 7, index: 0, flags: 1, eax: 0, ebx: 0, ecx: 1 << 7, edx: 0 };
  driver.setCpuid2(vcpu, [leaf]);
  return vcpu;
}

const hypervCpuid = (on: (driver: Driver) => Handle): Conformance => ({
  handle: on,
  request: () => ({ request: 'KVM_GET_SUPPORTED_HV_CPUID', cpuid: new CpuidValue(10) }),
  cases: {
    'hyperv-cpuid.too-small': (driver) =>
      driver.call(on(driver), {
        request: 'KVM_GET_SUPPORTED_HV_CPUID',
        cpuid: new CpuidValue(9),
      }),
  },
});

export const announced: ConformanceTable = {
  'KVM_GET_SUPPORTED_HV_CPUID on /dev/kvm': hypervCpuid((driver) => driver.kvm),
  KVM_GET_SUPPORTED_HV_CPUID: hypervCpuid(plainVcpu),
  KVM_GET_PIT: pit('KVM_GET_PIT'),
  KVM_SET_PIT: pit('KVM_SET_PIT'),
  KVM_GET_PIT2: pit('KVM_GET_PIT2'),
  KVM_SET_PIT2: pit('KVM_SET_PIT2'),
  KVM_REINJECT_CONTROL: pit('KVM_REINJECT_CONTROL'),
  KVM_RESET_DIRTY_RINGS: {
    handle: plainVm,
    request: () => ({ request: 'KVM_RESET_DIRTY_RINGS' }),
    cases: { 'reset-dirty-rings.no-rings': onVm({ request: 'KVM_RESET_DIRTY_RINGS' }) },
  },
  KVM_SET_PMU_EVENT_FILTER: {
    handle: plainVm,
    request: () => ({ request: 'KVM_SET_PMU_EVENT_FILTER', struct: new BytesValue(32) }),
    cases: {
      'pmu-event-filter.action': pmuFilter([0, 4, 2n]),
      'pmu-event-filter.flags': pmuFilter([12, 4, 2n]),
      'pmu-event-filter.too-many': pmuFilter([4, 4, 301n]),
      'pmu-event-filter.events-unreadable': (driver) => {
        const struct = structOf(32, [4, 4, 1n]);
        const read = (length: number, offset = 0) =>
          offset === 0 ? struct.read(length) : undefined;
        const faulty = { read, write: () => true };
        return driver.call(driver.plainVm(), {
          request: 'KVM_SET_PMU_EVENT_FILTER',
          struct: faulty,
        });
      },
      'pmu-event-filter.masked-entry': pmuFilter([4, 4, 1n], [12, 4, 1n], [32, 8, 1n << 16n]),
    },
  },
  KVM_HYPERV_EVENTFD: {
    handle: plainVm,
    request: () => hypervEventfd(),
    cases: {
      'hyperv-eventfd.flags': onVm(hypervEventfd({ flags: 2 })),
      'hyperv-eventfd.connection': onVm(hypervEventfd({ connId: 0x100_0000 })),
      'hyperv-eventfd.not-there': onVm(hypervEventfd({ flags: 1 })),
      'eventfd.closed': onVm(hypervEventfd({ eventfd: 'not open' })),
      'eventfd.other-file': onVm(hypervEventfd({ eventfd: 'not an eventfd' })),
      'hyperv-eventfd.exists': onVm(hypervEventfd(), hypervEventfd()),
    },
  },
  KVM_XEN_HVM_CONFIG: {
    handle: plainVm,
    request: () => ({ request: 'KVM_XEN_HVM_CONFIG', struct: new BytesValue(56) }),
    cases: {
      'xen-config.flags': xenConfig([0, 4, 1n]),
      'xen-config.page-given': xenConfig([0, 4, 2n], [16, 8, 0x1000n]),
      'xen-config.msr': xenConfig([4, 4, 0x3fff_ffffn]),
    },
  },
  KVM_XEN_HVM_GET_ATTR: {
    handle: plainVm,
    request: () => ({ request: 'KVM_XEN_HVM_GET_ATTR', struct: new BytesValue(72) }),
    cases: { 'xen-attr.unknown': xenAttr('KVM_XEN_HVM_GET_ATTR', plainVm, type(7)) },
  },
  KVM_XEN_HVM_SET_ATTR: {
    handle: plainVm,
    request: () => ({ request: 'KVM_XEN_HVM_SET_ATTR', struct: new BytesValue(72) }),
    cases: {
      'xen-attr.unknown': setVm(type(7)),
      'xen-attr.page-unaligned': setVm(type(6), [8, 8, 0x5001n]),
      'xen-attr.no-page': [
        { title: 'no slot', provoke: setVm(type(1), [8, 8, 5n]) },
        {
          title: 'no page of the VMM',
          provoke: (driver) => setVm(type(6), [8, 8, 0x5000n])(unmapped(driver)),
        },
      ],
      'xen-attr.vector': setVm(type(2), [8, 1, 0xfn]),
    },
  },
  KVM_XEN_HVM_EVTCHN_SEND: {
    handle: plainVm,
    request: () => ({ request: 'KVM_XEN_HVM_EVTCHN_SEND', struct: new BytesValue(12) }),
    cases: {
      'xen-evtchn.port': [{ provoke: evtchn([0, 4, 0n]) }, { provoke: evtchn([0, 4, 1024n]) }],
      'xen-evtchn.priority': evtchn([8, 4, 0n]),
      'xen-evtchn.no-vcpu': evtchn([4, 4, 1n]),
      'xen-evtchn.no-shared-info': evtchn(),
    },
  },
  KVM_TRANSLATE: {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_TRANSLATE', struct: new BytesValue(24) }),
    cases: {},
  },
  KVM_X86_SET_MCE: {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_X86_SET_MCE', struct: structOf(64, [0, 8, 1n << 63n]) }),
    cases: {
      'set-mce.bank': asked(
        plainVcpu,
        'KVM_X86_SET_MCE',
        structOf(64, [0, 8, 1n << 63n], [32, 1, 32n]),
      ),
      'set-mce.status': asked(plainVcpu, 'KVM_X86_SET_MCE', new BytesValue(64)),
    },
  },
  KVM_GET_ONE_REG: oneReg('KVM_GET_ONE_REG'),
  KVM_SET_ONE_REG: oneReg('KVM_SET_ONE_REG'),
  KVM_GET_REG_LIST: {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_GET_REG_LIST', struct: new BytesValue(16) }),
    cases: {
      // The kernel writes into the struct, so that each asks with its own.
      'reg-list.too-small': (driver) =>
        asked(withShadowStacks, 'KVM_GET_REG_LIST', new BytesValue(16))(driver),
      'reg-list.ids-unwritable': (driver) => {
        const struct = structOf(16, [0, 8, 1n]);
        const faulty = {
          read: (length: number) => struct.read(length),
          write: (_bytes: Uint8Array, offset = 0) => offset === 0,
        };
        return driver.call(withShadowStacks(driver), {
          request: 'KVM_GET_REG_LIST',
          struct: faulty,
        });
      },
    },
  },
  KVM_XEN_VCPU_GET_ATTR: {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_XEN_VCPU_GET_ATTR', struct: new BytesValue(72) }),
    cases: {
      'xen-attr.unknown': xenAttr('KVM_XEN_VCPU_GET_ATTR', plainVcpu, type(10)),
      'xen-vcpu-attr.adjustment': xenAttr('KVM_XEN_VCPU_GET_ATTR', plainVcpu, type(5)),
    },
  },
  KVM_XEN_VCPU_SET_ATTR: {
    handle: plainVcpu,
    request: () => ({ request: 'KVM_XEN_VCPU_SET_ATTR', struct: structOf(72, type(6)) }),
    cases: {
      'xen-attr.unknown': setVcpu(type(10)),
      'xen-vcpu-attr.unaligned': [
        { provoke: setVcpu(type(0), [8, 8, 2n]) },
        { provoke: setVcpu(type(9), [8, 8, 2n]) },
      ],
      'xen-attr.no-page': [
        { title: 'no slot', provoke: setVcpu(type(1), [8, 8, 0x5000n]) },
        {
          title: 'no page of the VMM',
          provoke: (driver) => setVcpu(type(9), [8, 8, 0x5000n])(unmapped(driver)),
        },
      ],
      'xen-vcpu-attr.runstate': setVcpu(type(3), [8, 8, 4n]),
      'xen-vcpu-attr.runstate-sum': setVcpu(type(4), [16, 8, 1n]),
      'xen-vcpu-attr.runstate-future': setVcpu(type(4), [16, 8, 1n << 60n], [24, 8, 1n << 60n]),
      'xen-vcpu-attr.vcpu-id': setVcpu(type(6), [8, 4, 0xffff_ffffn]),
      'xen-vcpu-attr.timer-priority': setVcpu(type(7), [8, 4, 1n]),
      'xen-attr.vector': setVcpu(type(8), [8, 1, 1n]),
    },
  },
};

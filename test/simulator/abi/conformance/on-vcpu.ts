/** CPUID, and the small requests on a vCPU. */
import { capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { type CpuidEntry, KVM_MAX_CPUID_ENTRIES } from '../../../../src/abi/kvm/structs.ts';
import {
  CpuidValue,
  hostProfiles,
  type Request,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { x2apicLeaf } from '../../structs.ts';
import { faultyAt, signalMask } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

/** A vCPU without an interrupt controller in the kernel. */
function plainVcpu(driver: Driver): number {
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  return driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
}

export const tdVcpu = (driver: Driver): number => driver.builtTd().vcpus[0] ?? 0;

const onTd =
  (request: Request): Call =>
  (driver) =>
    driver.call(tdVcpu(driver), request);

const onPlain =
  (request: Request): Call =>
  (driver) =>
    driver.call(plainVcpu(driver), request);

const cpuidList = (request: 'KVM_GET_SUPPORTED_CPUID' | 'KVM_GET_EMULATED_CPUID'): Conformance => {
  const withRoom =
    (nent: number): Call =>
    (driver) =>
      driver.call(driver.kvm, { request, cpuid: new CpuidValue(nent) });
  return {
    handle: (driver) => driver.kvm,
    request: () => ({ request, cpuid: new CpuidValue(256) }),
    cases: {
      'cpuid-list.no-room': withRoom(0),
      'cpuid-list.too-small': withRoom(3),
      ...(request === 'KVM_GET_EMULATED_CPUID' && {
        'cpuid-list.padding': (driver: Driver) =>
          driver.call(driver.kvm, {
            request,
            cpuid: Object.assign(new CpuidValue(256), { hasCleanPadding: () => false }),
          }),
      }),
    },
  };
};

const leaves = (count: number): readonly CpuidEntry[] => Array(count).fill(x2apicLeaf);

const mpState = (state: number): Request => ({
  request: 'KVM_SET_MP_STATE',
  mpState: new StructValue(state),
});
const mask = (of: ReturnType<typeof signalMask>): Request => ({
  request: 'KVM_SET_SIGNAL_MASK',
  mask: of,
});
const mce = (mcgCap: bigint): Request => ({
  request: 'KVM_X86_SETUP_MCE',
  mcgCap: new StructValue(mcgCap),
});
export const withoutNesting = {
  ...hostProfiles['spr-1.5'],
  recordedCapabilities: { KVM_CAP_NESTED_STATE: 0 },
};

const enableNumber = (cap: number, ...args: bigint[]) =>
  ({
    request: 'KVM_ENABLE_CAP',
    cap: new StructValue({ cap, flags: 0, args }),
  }) as const;
const enable = (cap: keyof typeof capabilities, ...args: bigint[]) =>
  enableNumber(capabilities[cap], ...args);

function setsCpuid(request: 'KVM_SET_CPUID' | 'KVM_SET_CPUID2'): Conformance {
  const setCpuid = (cpuid: CpuidValue): Request => ({ request, cpuid });
  return {
    handle: tdVcpu,
    request: () => setCpuid(new CpuidValue([x2apicLeaf])),
    cases: {
      'set-cpuid.too-many': onTd(setCpuid(new CpuidValue(leaves(KVM_MAX_CPUID_ENTRIES + 1)))),
      'set-cpuid.entries-unreadable': onTd(
        setCpuid(faultyAt(new CpuidValue([x2apicLeaf]), 'readEntries')),
      ),
      'set-cpuid.changed-after-run': async (driver) => {
        const vcpu = driver.runnableTd().vcpus[0] ?? 0;
        const run = driver.run(vcpu);
        run.cancel();
        await run.result;
        return driver.call(vcpu, setCpuid(new CpuidValue([])));
      },
      'set-cpuid.address-width': onTd(
        setCpuid(
          new CpuidValue([{ ...x2apicLeaf, function: 0x8000_0008, eax: 0x3_0000 | (52 << 8) }]),
        ),
      ),
      'set-cpuid.dynamic-xstate': {
        profile: 'small-client',
        provoke: onTd(setCpuid(new CpuidValue([{ ...x2apicLeaf, function: 0xd, eax: 0x6_0003 }]))),
      },
    },
  };
}

export const onVcpus: ConformanceTable = {
  KVM_GET_SUPPORTED_CPUID: cpuidList('KVM_GET_SUPPORTED_CPUID'),
  KVM_GET_EMULATED_CPUID: cpuidList('KVM_GET_EMULATED_CPUID'),
  KVM_X86_GET_MCE_CAP_SUPPORTED: {
    handle: (driver) => driver.kvm,
    request: () => ({ request: 'KVM_X86_GET_MCE_CAP_SUPPORTED', mceCap: new StructValue(0n) }),
    cases: {},
  },
  KVM_SET_CPUID: setsCpuid('KVM_SET_CPUID'),
  KVM_SET_CPUID2: setsCpuid('KVM_SET_CPUID2'),
  KVM_GET_CPUID2: {
    handle: tdVcpu,
    request: () => ({ request: 'KVM_GET_CPUID2', cpuid: new CpuidValue(256) }),
    cases: {
      'get-cpuid2.too-small': onTd({ request: 'KVM_GET_CPUID2', cpuid: new CpuidValue(0) }),
    },
  },
  KVM_GET_MP_STATE: {
    handle: tdVcpu,
    request: () => ({ request: 'KVM_GET_MP_STATE', mpState: new StructValue(0) }),
    cases: {},
  },
  KVM_SET_MP_STATE: {
    handle: tdVcpu,
    request: () => mpState(0),
    cases: {
      'set-mp-state.unknown': onTd(mpState(5)),
      'set-mp-state.no-lapic': onPlain(mpState(3)),
    },
  },
  KVM_SET_SIGNAL_MASK: {
    handle: tdVcpu,
    request: () => mask(signalMask(8)),
    cases: {
      'signal-mask.length': onTd(mask(signalMask(128))),
      'signal-mask.set-unreadable': onTd(mask(faultyAt(signalMask(8), 'readSignals'))),
    },
  },
  KVM_X86_SETUP_MCE: {
    handle: tdVcpu,
    request: () => mce(10n),
    cases: {
      'setup-mce.banks': [0n, 33n].map((banks) => ({
        title: `${banks} banks`,
        provoke: onTd(mce(banks)),
      })),
      'setup-mce.unsupported': onTd(mce(10n | (1n << 63n))),
    },
  },
  'KVM_ENABLE_CAP on a vCPU': {
    handle: tdVcpu,
    request: () => enable('KVM_CAP_HYPERV_SYNIC2'),
    cases: {
      'enable-vcpu-cap.unknown': onTd(enable('KVM_CAP_SPLIT_IRQCHIP', 24n)),
      'enable-vcpu-cap.synic2-argument': onTd(enable('KVM_CAP_HYPERV_SYNIC2', 1n)),
      'enable-vcpu-cap.synic-no-irqchip': onPlain(enable('KVM_CAP_HYPERV_SYNIC')),
      'enable-vcpu-cap.evmcs-nesting-off': {
        profile: withoutNesting,
        provoke: onPlain(enable('KVM_CAP_HYPERV_ENLIGHTENED_VMCS')),
      },
      'enable-vcpu-cap.evmcs-unwritable': onPlain({
        ...enable('KVM_CAP_HYPERV_ENLIGHTENED_VMCS'),
        pointee: { read: () => undefined, write: () => false },
      }),
      'enable-vcpu-cap.direct-tlbflush': onPlain(enableNumber(175)),
    },
  },
};

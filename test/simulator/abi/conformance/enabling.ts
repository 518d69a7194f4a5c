/** KVM_ENABLE_CAP on a VM, by capability. */
import { type CapabilityName, capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { type CheckedRequest, checkedRequests } from '../../../../src/abi/kvm/checks/index.ts';
import { type Request, StructValue } from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import type { Call, Case, Cases, Conformance, ConformanceTable } from './case.ts';

const struct = (name: CapabilityName, arg = 0n): Request => ({
  request: 'KVM_ENABLE_CAP',
  cap: new StructValue({ cap: capabilities[name], flags: 0, args: [arg] }),
});

/** On a TD that has its irqchip and, where the kernel takes it, its number of vCPUs. */
const enable =
  (
    name: CapabilityName,
    arg: bigint,
    arrange: (driver: Driver, vm: number) => void = () => {},
  ): Call =>
  (driver) => {
    const vm = driver.createVm();
    arrange(driver, vm);
    return driver.cap(vm, name, arg);
  };

const split = (driver: Driver, vm: number) => driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
/** A VM of the default type that has a vCPU: a TD may not have one yet. */
const withVcpu =
  (name: CapabilityName, arg: bigint): Call =>
  (driver) => {
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    if (name === 'KVM_CAP_X86_APIC_BUS_CYCLES_NS') split(driver, vm);
    driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
    return driver.cap(vm, name, arg);
  };
/** A TD of a kernel that takes the number of its vCPUs, with one. */
const tdWithVcpu =
  (arg: bigint): Call =>
  (driver) => {
    const vm = driver.createTd();
    driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
    return driver.cap(vm, 'KVM_CAP_MAX_VCPUS', arg);
  };
/** A default VM on a host with the feature. */
const onDefaultVm =
  (name: CapabilityName, arg: bigint): Call =>
  (driver) =>
    driver.cap(driver.createVm('KVM_X86_DEFAULT_VM'), name, arg);

const ownCases: Readonly<Partial<Record<CapabilityName, Conformance['cases']>>> = {
  KVM_CAP_SPLIT_IRQCHIP: {
    'enable-cap.split-irqchip.routes': enable('KVM_CAP_SPLIT_IRQCHIP', 4097n),
    'enable-cap.split-irqchip.exists': enable('KVM_CAP_SPLIT_IRQCHIP', 24n, split),
    'enable-cap.split-irqchip.too-late': withVcpu('KVM_CAP_SPLIT_IRQCHIP', 24n),
  },
  KVM_CAP_MAX_VCPU_ID: {
    'enable-cap.max-vcpu-id.too-large': enable('KVM_CAP_MAX_VCPU_ID', 4097n),
    'enable-cap.max-vcpu-id.below-boot': enable('KVM_CAP_MAX_VCPU_ID', 4n, (driver, vm) => {
      driver.must(vm, { request: 'KVM_SET_BOOT_CPU_ID', id: 9 });
    }),
    'enable-cap.max-vcpu-id.set-already': enable('KVM_CAP_MAX_VCPU_ID', 5n, (driver, vm) => {
      driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n);
    }),
  },
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: {
    'enable-cap.apic-bus-cycles.range': enable('KVM_CAP_X86_APIC_BUS_CYCLES_NS', 0n, split),
    'enable-cap.apic-bus-cycles.no-irqchip': enable('KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n),
    'enable-cap.apic-bus-cycles.too-late': withVcpu('KVM_CAP_X86_APIC_BUS_CYCLES_NS', 40n),
  },
  KVM_CAP_X2APIC_API: {
    'enable-cap.x2apic-api.bits': enable('KVM_CAP_X2APIC_API', 0x10n),
    'enable-cap.x2apic-api.both': enable('KVM_CAP_X2APIC_API', 0xcn, split),
    'enable-cap.x2apic-api.not-split': enable('KVM_CAP_X2APIC_API', 4n),
  },
  KVM_CAP_EXIT_HYPERCALL: {
    'enable-cap.exit-hypercall.bits': enable('KVM_CAP_EXIT_HYPERCALL', 1n),
  },
  KVM_CAP_MAX_VCPUS: {
    'enable-cap.max-vcpus.no-td': onDefaultVm('KVM_CAP_MAX_VCPUS', 4n),
    'enable-cap.max-vcpus.zero': enable('KVM_CAP_MAX_VCPUS', 0n),
    'enable-cap.max-vcpus.too-large': enable('KVM_CAP_MAX_VCPUS', 0x1_0000n),
    'enable-cap.max-vcpus.above-kvm-max': enable('KVM_CAP_MAX_VCPUS', 1025n),
    'enable-cap.max-vcpus.vcpus-exist': tdWithVcpu(4n),
    'enable-cap.max-vcpus.too-late': tdWithVcpu(4n),
  },
  KVM_CAP_VM_COPY_ENC_CONTEXT_FROM: {
    'enable-cap.copy-enc-context.unsupported': enable('KVM_CAP_VM_COPY_ENC_CONTEXT_FROM', 1n),
  },
  KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: {
    'enable-cap.nx-huge-pages.not-permitted': (driver) => {
      driver.mayReboot = false;
      return enable('KVM_CAP_VM_DISABLE_NX_HUGE_PAGES', 1n)(driver);
    },
    'enable-cap.nx-huge-pages.argument': enable('KVM_CAP_VM_DISABLE_NX_HUGE_PAGES', 1n),
    'enable-cap.nx-huge-pages.too-late': withVcpu('KVM_CAP_VM_DISABLE_NX_HUGE_PAGES', 0n),
  },
  KVM_CAP_SGX_ATTRIBUTE: {
    'enable-cap.sgx-attribute.no-file': enable('KVM_CAP_SGX_ATTRIBUTE', 1n),
  },
  KVM_CAP_PMU_CAPABILITY: {
    'enable-cap.pmu-capability.bits': enable('KVM_CAP_PMU_CAPABILITY', 2n),
    'enable-cap.pmu-capability.td-must-disable': enable('KVM_CAP_PMU_CAPABILITY', 0n),
    'enable-cap.pmu-capability.too-late': withVcpu('KVM_CAP_PMU_CAPABILITY', 1n),
  },
  KVM_CAP_X86_BUS_LOCK_EXIT: {
    'enable-cap.bus-lock-exit.bits': enable('KVM_CAP_X86_BUS_LOCK_EXIT', 4n),
    'enable-cap.bus-lock-exit.both': enable('KVM_CAP_X86_BUS_LOCK_EXIT', 3n),
  },
  KVM_CAP_X86_NOTIFY_VMEXIT: {
    'enable-cap.notify-vmexit.bits': enable('KVM_CAP_X86_NOTIFY_VMEXIT', 4n),
    'enable-cap.notify-vmexit.no-hardware': {
      profile: 'small-client',
      provoke: enable('KVM_CAP_X86_NOTIFY_VMEXIT', 1n),
    },
    'enable-cap.notify-vmexit.not-enabled': enable('KVM_CAP_X86_NOTIFY_VMEXIT', 2n),
    'enable-cap.notify-vmexit.too-late': withVcpu('KVM_CAP_X86_NOTIFY_VMEXIT', 1n),
  },
  KVM_CAP_DISABLE_QUIRKS2: {
    'enable-cap.disable-quirks2.bits': enable('KVM_CAP_DISABLE_QUIRKS2', 1n << 60n),
  },
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: {
    'enable-cap.manual-dirty-log.bits': enable('KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', 2n),
  },
  KVM_CAP_HALT_POLL: {
    'enable-cap.halt-poll.range': enable('KVM_CAP_HALT_POLL', 1n << 32n),
  },
  KVM_CAP_DIRTY_LOG_RING: dirtyRing('KVM_CAP_DIRTY_LOG_RING'),
  KVM_CAP_DIRTY_LOG_RING_ACQ_REL: dirtyRing('KVM_CAP_DIRTY_LOG_RING_ACQ_REL'),
  KVM_CAP_X86_USER_SPACE_MSR: {
    'enable-cap.user-space-msr.bits': enable('KVM_CAP_X86_USER_SPACE_MSR', 8n),
  },
  KVM_CAP_X86_DISABLE_EXITS: {
    'enable-cap.disable-exits.bits': enable('KVM_CAP_X86_DISABLE_EXITS', 1n << 60n),
    'enable-cap.disable-exits.too-late': withVcpu('KVM_CAP_X86_DISABLE_EXITS', 0n),
  },
  KVM_CAP_EXIT_ON_EMULATION_FAILURE: {
    'enable-cap.exit-on-emulation-failure.bits': enable('KVM_CAP_EXIT_ON_EMULATION_FAILURE', 2n),
  },
};

function dirtyRing(name: CapabilityName): Readonly<Partial<Record<string, Cases>>> {
  const sizes: readonly Case[] = [
    { title: 'no power of two', provoke: onDefaultVm(name, 3n << 14n) },
    { title: 'less than a page', provoke: onDefaultVm(name, 2048n) },
  ];
  return {
    'enable-cap.dirty-ring.size': sizes,
    'enable-cap.dirty-ring.too-large': onDefaultVm(name, 1n << 21n),
    'enable-cap.dirty-ring.too-late': withVcpu(name, 1n << 16n),
  };
}

/** A capability as it is taken, after the checks that all have. */
const valid: Readonly<Partial<Record<CapabilityName, bigint>>> = {
  KVM_CAP_SPLIT_IRQCHIP: 24n,
};

function conformanceOf(request: CheckedRequest): Conformance {
  const name = capabilityOf(request);
  return {
    handle: (driver) => driver.createVm(),
    request: () => struct(name, valid[name]),
    cases: ownCases[name] ?? {},
  };
}

/** What KVM_ENABLE_CAP is asked for; one that no kernel enables, where the request names none. */
function capabilityOf(request: CheckedRequest): CapabilityName {
  const name = /^KVM_ENABLE_CAP\((.*)\)$/.exec(request)?.[1] ?? 'KVM_CAP_IRQFD';
  return name as CapabilityName;
}

const move = 'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)';

export const enabling: ConformanceTable = Object.fromEntries(
  checkedRequests
    .filter((request) => /^KVM_ENABLE_CAP(\(|$)/.test(request) && request !== move)
    .map((request) => [request, conformanceOf(request)]),
);

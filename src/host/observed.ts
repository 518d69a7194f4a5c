/** Wraps a host so that every request is reported, with its answer and how long it took. */
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import type { RequestName } from '../abi/kvm/requests.ts';
import { KvmError } from './kvm-error.ts';
import { ObservedGuest } from './observed-guest.ts';
import type { Observer } from './observer.ts';
import type { Host, Vcpu, Vm } from './port.ts';

/** Makes the request and reports it. */
type Report = <Value>(
  request: RequestName,
  make: () => Promise<Value>,
  capability?: CapabilityName,
) => Promise<Value>;

interface Observing {
  readonly report: Report;
  readonly observer: Observer;
}

export function observeHost(host: Host, observer: Observer): Host {
  const { now, onAnswer } = observer;
  const report: Report = async (request, make, capability) => {
    const startedAt = now();
    const finish = (answer: string) =>
      onAnswer({ request, capability, answer, durationMs: now() - startedAt });
    try {
      const value = await make();
      finish('ok');
      return value;
    } catch (error) {
      finish(error instanceof KvmError ? error.code : 'error');
      throw error;
    }
  };
  return observedHost(host, { report, observer });
}

const observedVms = new WeakMap<Vm, Vm>();

/** The VM that the host itself made. A host takes no other as the source of a move. */
export function unobserved(vm: Vm): Vm {
  return observedVms.get(vm) ?? vm;
}

function observedHost(host: Host, observing: Observing): Host {
  const { report } = observing;
  const { cgroup } = host;
  return {
    facts: () => host.facts(),
    keySlots: () => host.keySlots(),
    cgroupRoom: () => host.cgroupRoom(),
    memory: () => host.memory(),
    ...(cgroup !== undefined && { cgroup }),
    checkExtension: (capability) =>
      report('KVM_CHECK_EXTENSION', () => host.checkExtension(capability), capability),
    getSupportedCpuid: () => report('KVM_GET_SUPPORTED_CPUID', () => host.getSupportedCpuid()),
    createVm: async (options) =>
      observedVm(await report('KVM_CREATE_VM', () => host.createVm(options)), observing),
    mapMemory: (options) => host.mapMemory(options),
    ...(host.exchange && { exchange: host.exchange.bind(host) }),
    ...(host.simulatedTimeNs && { simulatedTimeNs: host.simulatedTimeNs.bind(host) }),
    close: () => host.close(),
  };
}

function observedVm(vm: Vm, { report, observer }: Observing): Vm {
  const observed: Vm = {
    checkExtension: (capability) =>
      report('KVM_CHECK_EXTENSION', () => vm.checkExtension(capability), capability),
    enableCap: (options) =>
      report('KVM_ENABLE_CAP', () => vm.enableCap(options), options.capability),
    setTscKhz: (options) => report('KVM_SET_TSC_KHZ', () => vm.setTscKhz(options)),
    createVcpu: async (options) =>
      observedVcpu(await report('KVM_CREATE_VCPU', () => vm.createVcpu(options)), report),
    createGuestMemfd: (options) =>
      report('KVM_CREATE_GUEST_MEMFD', () => vm.createGuestMemfd(options)),
    linkGuestMemfd: (options) => report('KVM_LINK_GUEST_MEMFD', () => vm.linkGuestMemfd(options)),
    receiveGuestMemfd: (options) => vm.receiveGuestMemfd(options),
    moveEncContextFrom: ({ source }) =>
      report(
        'KVM_ENABLE_CAP',
        () => vm.moveEncContextFrom({ source: source && unobserved(source) }),
        'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
      ),
    setUserMemoryRegion2: (region) =>
      report('KVM_SET_USER_MEMORY_REGION2', () => vm.setUserMemoryRegion2(region)),
    setMemoryAttributes: (options) =>
      report('KVM_SET_MEMORY_ATTRIBUTES', () => vm.setMemoryAttributes(options)),
    setMemoryAttributes2: (options) =>
      report('KVM_SET_MEMORY_ATTRIBUTES2', () => vm.setMemoryAttributes2(options)),
    signalMsi: (message) => report('KVM_SIGNAL_MSI', () => vm.signalMsi(message)),
    tdxCapabilities: () => report('KVM_TDX_CAPABILITIES', () => vm.tdxCapabilities()),
    tdxInitVm: (params) => report('KVM_TDX_INIT_VM', () => vm.tdxInitVm(params)),
    tdxFinalizeVm: () => report('KVM_TDX_FINALIZE_VM', () => vm.tdxFinalizeVm()),
    tdxTerminateVm: () => report('KVM_TDX_TERMINATE_VM', () => vm.tdxTerminateVm()),
    mrtd: () => vm.mrtd(),
    makeGuest: async ({ vcpus, io }) => {
      const guest = await vm.makeGuest({ vcpus: vcpus.map(unobservedVcpu), io });
      return new ObservedGuest(guest, { vcpus: vcpus.length, observer });
    },
    close: () => vm.close(),
  };
  observedVms.set(observed, vm);
  return observed;
}

const observedVcpus = new WeakMap<Vcpu, Vcpu>();

function unobservedVcpu(vcpu: Vcpu): Vcpu {
  return observedVcpus.get(vcpu) ?? vcpu;
}

function observedVcpu(vcpu: Vcpu, report: Report): Vcpu {
  const observed: Vcpu = {
    id: vcpu.id,
    setCpuid2: (options) => report('KVM_SET_CPUID2', () => vcpu.setCpuid2(options)),
    tdxInitVcpu: (options) => report('KVM_TDX_INIT_VCPU', () => vcpu.tdxInitVcpu(options)),
    tdxInitMemRegion: (region) =>
      report('KVM_TDX_INIT_MEM_REGION', () => vcpu.tdxInitMemRegion(region)),
    tdxGetCpuid: () => report('KVM_TDX_GET_CPUID', () => vcpu.tdxGetCpuid()),
    close: () => vcpu.close(),
  };
  observedVcpus.set(observed, vcpu);
  return observed;
}

/** Wraps a host so that every request is reported, with its answer and how long it took. */
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import type { RequestName } from '../abi/kvm/requests.ts';
import { KvmError } from './kvm-error.ts';
import type { Host, Vcpu, Vm } from './port.ts';

export interface RequestRecord {
  readonly request: RequestName;
  /** The capability, where the request names one. */
  readonly capability: CapabilityName | undefined;
  /** The answer is `ok`, or the name of the errno. */
  readonly answer: string;
  readonly durationMs: number;
}

export interface Observer {
  /** The caller gives its clock, in milliseconds, because simulated time has its own. */
  readonly now: () => number;
  readonly onAnswer: (record: RequestRecord) => void;
}

/** Makes the request and reports it. */
type Report = <Value>(
  request: RequestName,
  make: () => Promise<Value>,
  capability?: CapabilityName,
) => Promise<Value>;

export function observeHost(host: Host, { now, onAnswer }: Observer): Host {
  return observedHost(host, async (request, make, capability) => {
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
  });
}

const observedVms = new WeakMap<Vm, Vm>();

/** The VM that the host itself made. A host takes no other as the source of a move. */
export function unobserved(vm: Vm): Vm {
  return observedVms.get(vm) ?? vm;
}

function observedHost(host: Host, report: Report): Host {
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
      observedVm(await report('KVM_CREATE_VM', () => host.createVm(options)), report),
    mapMemory: (options) => host.mapMemory(options),
    ...(host.simulatedTimeNs && { simulatedTimeNs: host.simulatedTimeNs.bind(host) }),
    close: () => host.close(),
  };
}

function observedVm(vm: Vm, report: Report): Vm {
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
    tdxCapabilities: () => report('KVM_TDX_CAPABILITIES', () => vm.tdxCapabilities()),
    tdxInitVm: (params) => report('KVM_TDX_INIT_VM', () => vm.tdxInitVm(params)),
    tdxFinalizeVm: () => report('KVM_TDX_FINALIZE_VM', () => vm.tdxFinalizeVm()),
    tdxTerminateVm: () => report('KVM_TDX_TERMINATE_VM', () => vm.tdxTerminateVm()),
    mrtd: () => vm.mrtd(),
    close: () => vm.close(),
  };
  observedVms.set(observed, vm);
  return observed;
}

function observedVcpu(vcpu: Vcpu, report: Report): Vcpu {
  return {
    id: vcpu.id,
    setCpuid2: (options) => report('KVM_SET_CPUID2', () => vcpu.setCpuid2(options)),
    tdxInitVcpu: (options) => report('KVM_TDX_INIT_VCPU', () => vcpu.tdxInitVcpu(options)),
    tdxInitMemRegion: (region) =>
      report('KVM_TDX_INIT_MEM_REGION', () => vcpu.tdxInitMemRegion(region)),
    tdxGetCpuid: () => report('KVM_TDX_GET_CPUID', () => vcpu.tdxGetCpuid()),
    ...runOf(vcpu, report),
    close: () => vcpu.close(),
  };
}

/** The method is left out where the host runs no guests, because callers look for it. */
function runOf(vcpu: Vcpu, report: Report): Pick<Vcpu, 'run'> {
  const run = vcpu.run?.bind(vcpu);
  return run === undefined ? {} : { run: (options) => report('KVM_RUN', () => run(options)) };
}

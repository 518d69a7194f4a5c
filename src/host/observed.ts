/** Wraps a host so that every request is reported, with its answer and how long it took. */
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import type { RequestName } from '../abi/kvm/requests.ts';
import { KvmError } from './kvm-error.ts';
import { ObservedGuest } from './observed-guest.ts';
import type { Observer } from './observer.ts';
import type * as port from './port.ts';

export function observeHost(host: port.Host, observer: Observer): port.Host {
  const { cgroup } = host;
  const observed = new Observed(host, observer);
  return {
    facts: () => host.facts(),
    keySlots: () => host.keySlots(),
    cgroupRoom: () => host.cgroupRoom(),
    memory: () => host.memory(),
    ...(cgroup !== undefined && { cgroup }),
    checkExtension: (capability) =>
      observed.report('KVM_CHECK_EXTENSION', () => host.checkExtension(capability), capability),
    getSupportedCpuid: () =>
      observed.report('KVM_GET_SUPPORTED_CPUID', () => host.getSupportedCpuid()),
    createVm: async (options) => {
      const vm = await observed.report('KVM_CREATE_VM', () => host.createVm(options));
      return new ObservedVm(vm, observer);
    },
    mapMemory: (options) => host.mapMemory(options),
    ...(host.exchange && { exchange: host.exchange.bind(host) }),
    ...(host.simulatedTimeNs && { simulatedTimeNs: host.simulatedTimeNs.bind(host) }),
    close: () => host.close(),
  };
}

/** The VM that the host itself made. A host takes no other as the source of a move. */
export function unobserved<Made extends port.VmFile>(vm: Made): Made | port.Vm {
  return vm instanceof ObservedVm ? vm.inner : vm;
}

/** An object of the port, and who is told what is asked of it. */
class Observed<Inner> {
  readonly inner: Inner;
  readonly observer: Observer;

  constructor(inner: Inner, observer: Observer) {
    this.inner = inner;
    this.observer = observer;
  }

  /** Makes the request and reports it. */
  async report<Value>(
    request: RequestName,
    make: () => Promise<Value>,
    capability?: CapabilityName,
  ): Promise<Value> {
    const { observer } = this;
    const startedAt = observer.now();
    let answer = 'error';
    try {
      const value = await make();
      answer = 'ok';
      return value;
    } catch (error) {
      if (error instanceof KvmError) answer = error.code;
      throw error;
    } finally {
      observer.onAnswer({ request, capability, answer, durationMs: observer.now() - startedAt });
    }
  }

  close(this: Observed<{ close(): Promise<void> }>): Promise<void> {
    return this.inner.close();
  }
}

// The methods stand on prototypes: a TD has an object for each vCPU, and to make one is to make no functions.
class ObservedVm extends Observed<port.Vm> implements port.Vm {
  checkExtension(capability: CapabilityName) {
    const make = () => this.inner.checkExtension(capability);
    return this.report('KVM_CHECK_EXTENSION', make, capability);
  }

  enableCap(options: port.EnableCap) {
    return this.report('KVM_ENABLE_CAP', () => this.inner.enableCap(options), options.capability);
  }

  setTscKhz(options: port.SetTscKhz) {
    return this.report('KVM_SET_TSC_KHZ', () => this.inner.setTscKhz(options));
  }

  async createVcpu(options: port.CreateVcpu) {
    const vcpu = await this.report('KVM_CREATE_VCPU', () => this.inner.createVcpu(options));
    return new ObservedVcpu(vcpu, this.observer);
  }

  createGuestMemfd(options: port.CreateGuestMemfd) {
    return this.report('KVM_CREATE_GUEST_MEMFD', () => this.inner.createGuestMemfd(options));
  }

  linkGuestMemfd(options: port.ShareGuestMemfd) {
    return this.report('KVM_LINK_GUEST_MEMFD', () => this.inner.linkGuestMemfd(options));
  }

  receiveGuestMemfd(options: port.ShareGuestMemfd) {
    return this.inner.receiveGuestMemfd(options);
  }

  moveEncContextFrom(options: port.MoveEncContextFrom) {
    const source = options.source && unobserved(options.source);
    const make = () => this.inner.moveEncContextFrom({ source });
    return this.report('KVM_ENABLE_CAP', make, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM');
  }

  setUserMemoryRegion2(region: port.MemoryRegion) {
    const make = () => this.inner.setUserMemoryRegion2(region);
    return this.report('KVM_SET_USER_MEMORY_REGION2', make);
  }

  setMemoryAttributes(options: port.MemoryAttributes) {
    return this.report('KVM_SET_MEMORY_ATTRIBUTES', () => this.inner.setMemoryAttributes(options));
  }

  setMemoryAttributes2(options: port.MemoryAttributes2) {
    const make = () => this.inner.setMemoryAttributes2(options);
    return this.report('KVM_SET_MEMORY_ATTRIBUTES2', make);
  }

  signalMsi(message: port.MsiMessage) {
    return this.report('KVM_SIGNAL_MSI', () => this.inner.signalMsi(message));
  }

  tdxCapabilities() {
    return this.report('KVM_TDX_CAPABILITIES', () => this.inner.tdxCapabilities());
  }

  tdxInitVm(params: port.TdxInitVm) {
    return this.report('KVM_TDX_INIT_VM', () => this.inner.tdxInitVm(params));
  }

  tdxFinalizeVm() {
    return this.report('KVM_TDX_FINALIZE_VM', () => this.inner.tdxFinalizeVm());
  }

  tdxTerminateVm() {
    return this.report('KVM_TDX_TERMINATE_VM', () => this.inner.tdxTerminateVm());
  }

  mrtd() {
    return this.inner.mrtd();
  }

  startKernel({ vcpus, registers }: port.StartKernel) {
    return this.inner.startKernel({ vcpus: vcpus.map(unobservedVcpu), registers });
  }

  async makeGuest({ vcpus, io }: port.MakeGuest) {
    const guest = await this.inner.makeGuest({ vcpus: vcpus.map(unobservedVcpu), io });
    return new ObservedGuest(guest, { vcpus: vcpus.length, observer: this.observer });
  }
}

function unobservedVcpu(vcpu: port.Vcpu): port.Vcpu {
  return vcpu instanceof ObservedVcpu ? vcpu.inner : vcpu;
}

class ObservedVcpu extends Observed<port.Vcpu> implements port.Vcpu {
  get id() {
    return this.inner.id;
  }

  setCpuid2(options: port.SetCpuid2) {
    return this.report('KVM_SET_CPUID2', () => this.inner.setCpuid2(options));
  }

  tdxInitVcpu(options: port.TdxInitVcpu) {
    return this.report('KVM_TDX_INIT_VCPU', () => this.inner.tdxInitVcpu(options));
  }

  tdxInitMemRegion(region: port.InitMemRegion) {
    return this.report('KVM_TDX_INIT_MEM_REGION', () => this.inner.tdxInitMemRegion(region));
  }

  tdxGetCpuid() {
    return this.report('KVM_TDX_GET_CPUID', () => this.inner.tdxGetCpuid());
  }
}

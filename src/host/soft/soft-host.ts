/**
 * The host `soft` is what a laptop can really run: a real VM, vCPU fds, irqchip, memory slots and
 * guest_memfds, with a simulated TDX module and KVM's rules for TDs beside them.
 */
import type { PassedFd } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import type {
  FaultInjector,
  HostProfile,
  SimulatedMachine,
  Snapshot,
  TraceListener,
} from '../../simulator/index.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from '../facts.ts';
import { Holding } from '../holding.ts';
import { answered } from '../native/answers.ts';
import { type DevKvm, openDevKvm } from '../native/dev-kvm.ts';
import { MappedMemory, nativeMemory } from '../native/user-memory.ts';
import { own } from '../own.ts';
import type { CreateVm, Host, MapMemory, UserMemory, Vm } from '../port.ts';
import {
  AddressSpace,
  openSimulatedHost,
  type ProcessIdentity,
  type SimulatedHost,
} from '../simulated/index.ts';
import { checkBoth } from './check-both.ts';
import { readableIn } from './readable.ts';
import { type RealKernel, SoftVm } from './soft-vm.ts';

export interface SoftHostOptions {
  /** The platform and TDX module to simulate: the name of a built-in profile, or one in full. */
  readonly profile?: string | HostProfile | undefined;
  readonly kernelAbi?: string | undefined;
  /** The faults happen in the simulated part only. */
  readonly faults?: FaultInjector | undefined;
}

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED (exit 8) without the addon or /dev/kvm. */
export async function openSoftHost(options: SoftHostOptions): Promise<SoftHost> {
  const addressSpace = new AddressSpace();
  const simulated = openSimulatedHost({ ...options, addressSpace });
  const kvm = await openDevKvm('soft');
  try {
    const opened = Holding.first(kvm, () => kvm.system.close());
    return new SoftHost({ opened, kernel: await readKernel(kvm), simulated, addressSpace });
  } catch (error) {
    await kvm.system.close();
    throw error;
  }
}

async function readKernel({ addon, system }: DevKvm): Promise<RealKernel> {
  const ask = (capability: CapabilityName) =>
    answered(system.kvmCheckExtension(capabilities[capability]), capability);
  return {
    addon,
    hasGuestMemfd: (await ask('KVM_CAP_GUEST_MEMFD')) !== 0,
    scalesTsc: (await ask('KVM_CAP_VM_TSC_CONTROL')) !== 0,
    cpuid: await answered(system.kvmGetSupportedCpuid()),
    runBytes: await answered(system.kvmGetVcpuMmapSize()),
    stateShape: {
      msrs: await answered(system.kvmGetMsrIndexList()),
      xsaveBytes: await ask('KVM_CAP_XSAVE2'),
      sregs2: (await ask('KVM_CAP_SREGS2')) !== 0,
      lapic: true,
      tscKhz: (await ask('KVM_CAP_GET_TSC_KHZ')) !== 0,
      tscOffset: (await ask('KVM_CAP_VCPU_ATTRIBUTES')) !== 0,
    },
  };
}

export class SoftHost implements Host {
  readonly #opened: Holding<DevKvm>;
  readonly #simulated: SimulatedHost;
  readonly #addressSpace: AddressSpace;
  readonly #kernel: RealKernel;
  /** Those that are not closed. */
  readonly #vms = new Set<SoftVm>();
  #isDead = false;

  constructor(parts: {
    readonly opened: Holding<DevKvm>;
    readonly kernel: RealKernel;
    readonly simulated: SimulatedHost;
    readonly addressSpace: AddressSpace;
  }) {
    this.#opened = parts.opened;
    this.#kernel = parts.kernel;
    this.#simulated = parts.simulated;
    this.#addressSpace = parts.addressSpace;
  }

  /** The machine that the simulated part is of. */
  get machine(): SimulatedMachine {
    return this.#simulated.machine;
  }

  /** Gives the machine as another process sees it, whose real VMs are this one's all the same. */
  otherProcess(identity: ProcessIdentity): SoftHost {
    const addressSpace = new AddressSpace();
    return new SoftHost({
      opened: this.#opened.another(),
      kernel: this.#kernel,
      simulated: this.#simulated.otherProcess(identity, addressSpace),
      addressSpace,
    });
  }

  /** Makes the process die: its guests stop at once, and all its files are closed. */
  exitProcess(): void {
    this.#isDead = true;
    for (const vm of this.#vms) vm.abandon();
    this.#simulated.exitProcess();
  }

  get mm(): number {
    return this.#simulated.mm;
  }

  get cgroup(): string {
    return this.#simulated.cgroup;
  }

  /** The number of the simulated kernel's VM behind one of the port; undefined once its fd is closed. */
  vmId(vm: Vm): number | undefined {
    return this.#simulated.vmId(own(vm, SoftVm, 'VM').simulated);
  }

  /** Tells what the simulated machine holds right now. */
  snapshot(): Snapshot {
    return this.#simulated.snapshot();
  }

  async facts(): Promise<HostFacts> {
    const simulated = await this.#simulated.facts();
    return {
      ...simulated,
      kind: 'soft',
      name: simulated.name.replace(/^sim/, 'soft'),
      kvm: {
        maxVcpus: await this.checkExtension('KVM_CAP_MAX_VCPUS'),
        maxVcpuIds: await this.checkExtension('KVM_CAP_MAX_VCPU_ID'),
      },
    };
  }

  keySlots(): Promise<KeySlots | undefined> {
    return this.#simulated.keySlots();
  }

  memory(): Promise<HostMemoryFacts> {
    return this.#simulated.memory();
  }

  cgroupRoom(): Promise<number | undefined> {
    return this.#simulated.cgroupRoom();
  }

  checkExtension(capability: CapabilityName): Promise<number> {
    return checkBoth(capability, { real: this.#opened.thing.system, simulated: this.#simulated });
  }

  getSupportedCpuid(): Promise<readonly CpuidEntry[]> {
    return this.#simulated.getSupportedCpuid();
  }

  async createVm(options: CreateVm): Promise<Vm> {
    const simulated = await this.#simulated.createVm(options);
    try {
      const real = await answered(
        this.#opened.thing.system.kvmCreateVm(vmTypes.KVM_X86_DEFAULT_VM),
      );
      const vm = new SoftVm(real, simulated, {
        kernel: this.#kernel,
        onClosed: () => this.#vms.delete(vm),
      });
      this.#vms.add(vm);
      if (this.#isDead) vm.abandon();
      return vm;
    } catch (error) {
      await simulated.close();
      throw error;
    }
  }

  mapMemory(options: MapMemory): Promise<UserMemory> {
    const onMapped = readableIn(this.#addressSpace);
    return MappedMemory.map(this.#opened.thing.addon, { ...options, onMapped });
  }

  fdOf(memory: UserMemory): { readonly fd: number } {
    return nativeMemory(memory);
  }

  acceptMemory(fd: PassedFd): Promise<UserMemory> {
    const onMapped = readableIn(this.#addressSpace);
    return MappedMemory.ofFd(this.#opened.thing.addon, { fd, onMapped });
  }

  /** Reports what the simulated part is asked: every ioctl, SEAMCALL leaf and release. */
  onCall(listener: TraceListener): () => void {
    return this.#simulated.onCall(listener);
  }

  /** The reason why the simulated part offers no TDs; undefined where it does. */
  get tdxMissing(): string | undefined {
    return this.#simulated.tdxMissing;
  }

  async close(): Promise<void> {
    await this.#opened.close();
    await this.#simulated.close();
  }
}

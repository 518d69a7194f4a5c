import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { type CpuidEntry, KVM_MAX_CPUID_ENTRIES } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import {
  type Caller,
  CpuidValue,
  onlineCpus,
  presentCpus,
  type SimulatedMachine,
  type Snapshot,
  type TraceListener,
} from '../../simulator/index.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from '../facts.ts';
import { kernelFactsOf } from '../kernel-facts.ts';
import { KvmError } from '../kvm-error.ts';
import { own } from '../own.ts';
import type { CreateVm, Host, MapMemory, Vm } from '../port.ts';
import { AddressSpace, SimulatedMemory } from './address-space.ts';
import { SimulatedFile, type SimulatedProcess } from './file.ts';
import type { SimulatedGuestMemory } from './guest-memory.ts';
import { SimulatedVm } from './vm.ts';

/** A process that uses the machine: its address space, and the misc cgroup that is charged. */
export interface ProcessIdentity {
  readonly mm: number;
  readonly cgroup: string;
}

const firstProcess: ProcessIdentity = { mm: 1, cgroup: '/' };

/** What a process can pass to another. */
export type PassedObject = SimulatedVm | SimulatedGuestMemory | SimulatedMemory;

/** A whole simulated machine behind the port, as one process sees it. */
export class SimulatedHost implements Host {
  /** The machine itself, for those who disturb or inspect it from outside. */
  readonly machine: SimulatedMachine;
  readonly #memory: AddressSpace;
  readonly #process: SimulatedProcess;
  readonly #devKvm: SimulatedFile;

  /** Takes a machine whose /dev/kvm can be opened. */
  constructor(
    machine: SimulatedMachine,
    memory: AddressSpace,
    identity: ProcessIdentity = firstProcess,
  ) {
    this.machine = machine;
    this.#memory = memory;
    const opened = machine.open();
    if (!opened.ok) throw KvmError.of('KVM_GET_API_VERSION', opened.errno);
    const caller: Caller = {
      ...identity,
      memory: this.#memory,
      pendingSignal: () => 'none',
    };
    this.#process = { machine, caller, files: new Set(), hasExited: false };
    this.#devKvm = new SimulatedFile(this.#process, opened.value);
  }

  /** Gives the machine as another process sees it: with its own /dev/kvm, memory and cgroup. */
  otherProcess(identity: ProcessIdentity, memory = new AddressSpace()): SimulatedHost {
    return new SimulatedHost(this.machine, memory, identity);
  }

  /** Makes the process die: the kernel closes all its files, in the order of their opening. */
  exitProcess(): void {
    this.#process.hasExited = true;
    for (const file of [...this.#process.files]) file.close();
  }

  async facts(): Promise<HostFacts> {
    const { profile, kernelAbi, bringUp } = this.machine;
    const tdx = bringUp.outcome === 'tdx' ? bringUp.tdx : undefined;
    return {
      kind: 'sim',
      name: `sim:${profile.name}`,
      kernel: {
        rules: kernelAbi.name,
        apiVersion: this.#devKvm.ioctl({ request: 'KVM_GET_API_VERSION', arg: 0n }),
        ...kernelFactsOf(kernelAbi),
      },
      module:
        tdx === undefined || profile.module === undefined
          ? undefined
          : {
              release: profile.module.release,
              maxVcpusPerTd: tdx.module.limits.maxVcpusPerTd ?? 0xffff,
            },
      platform: {
        packages: profile.platform.packages,
        presentCpus: presentCpus(profile.platform),
        onlineCpus: onlineCpus(profile.platform),
        guestAddressWidths: profile.platform.fiveLevelEpt ? [48, 52] : [48],
        tscKhz: profile.platform.tscKhz,
      },
      kvm: {
        maxVcpus: await this.checkExtension('KVM_CAP_MAX_VCPUS'),
        maxVcpuIds: await this.checkExtension('KVM_CAP_MAX_VCPU_ID'),
      },
    };
  }

  /** The number by which a trace tells this process. */
  get mm(): number {
    return this.#process.caller.mm;
  }

  get cgroup(): string {
    return this.#process.caller.cgroup;
  }

  async keySlots(): Promise<KeySlots> {
    return this.machine.keySlots;
  }

  async memory(): Promise<HostMemoryFacts> {
    const { profile, bringUp } = this.machine;
    const isDynamic = bringUp.outcome === 'tdx' && bringUp.tdx.dynamicPamt;
    return {
      totalBytes: profile.platform.memoryBytes,
      pamt: isDynamic ? 'dynamic' : 'static',
      availableBytes: this.machine.freeMemoryBytes,
      cgroupBytes: this.machine.cgroupMemoryRoom(this.#process.caller.cgroup),
    };
  }

  async cgroupRoom(): Promise<number | undefined> {
    const room = this.machine.cgroupRoom(this.#process.caller.cgroup);
    return Number.isFinite(room) ? room : undefined;
  }

  async checkExtension(capability: CapabilityName): Promise<number> {
    const number = capabilities[capability];
    return this.#devKvm.ioctl({ request: 'KVM_CHECK_EXTENSION', capability: number }, capability);
  }

  async getSupportedCpuid(): Promise<readonly CpuidEntry[]> {
    const cpuid = new CpuidValue(KVM_MAX_CPUID_ENTRIES);
    this.#devKvm.ioctl({ request: 'KVM_GET_SUPPORTED_CPUID', cpuid });
    return cpuid.entries;
  }

  async createVm(options: CreateVm): Promise<SimulatedVm> {
    return new SimulatedVm(
      await this.#devKvm.open({ request: 'KVM_CREATE_VM', type: vmTypes[options.type] }),
    );
  }

  async mapMemory({ sizeBytes, sharedWith }: MapMemory): Promise<SimulatedMemory> {
    return this.#memory.map(sizeBytes, sharedWith && own(sharedWith, SimulatedMemory, 'memory'));
  }

  /** Passes an object to another process on this machine, as SCM_RIGHTS passes its fd; memory is mapped there. */
  passTo<Passed extends PassedObject>(other: SimulatedHost, passed: Passed): Passed;
  passTo(other: SimulatedHost, passed: PassedObject): PassedObject {
    if (!(passed instanceof SimulatedMemory)) return passed.passTo(other.#process);
    return other.#memory.map(passed.sizeBytes, passed);
  }

  /** Reports each ioctl, SEAMCALL leaf and release until the function that it returns is called. */
  onCall(listener: TraceListener): () => void {
    return this.machine.listen(listener);
  }

  simulatedTimeNs(): bigint {
    return BigInt(this.machine.nowNs);
  }

  /** The reason why the machine offers no TDs; undefined where it does. */
  get tdxMissing(): string | undefined {
    const { bringUp } = this.machine;
    return bringUp.outcome === 'tdx' ? undefined : bringUp.reason;
  }

  /** The number of the kernel's VM behind one of the port; undefined once its fd is closed. */
  vmId(vm: Vm): number | undefined {
    const { handle } = own(vm, SimulatedVm, 'VM');
    return handle === undefined ? undefined : this.machine.vmId(handle);
  }

  /** Tells what the machine holds right now. */
  snapshot(): Snapshot {
    return this.machine.snapshot();
  }

  async close(): Promise<void> {
    this.#devKvm.close();
  }
}

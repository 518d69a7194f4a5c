import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { type CpuidEntry, KVM_MAX_CPUID_ENTRIES } from '../../abi/kvm/structs.ts';
import { type VmTypeName, vmTypes } from '../../abi/kvm/vm-types.ts';
import {
  type Caller,
  CpuidValue,
  onlineCpus,
  presentCpus,
  type SimulatedMachine,
  type Snapshot,
  type TraceListener,
} from '../../simulator/index.ts';
import type { HostFacts, KeySlots } from '../facts.ts';
import { KvmError } from '../kvm-error.ts';
import type { Host } from '../port.ts';
import type { AddressSpace, SimulatedMemory } from './address-space.ts';
import { SimulatedFile } from './file.ts';
import { SimulatedVm } from './vm.ts';

/** This process is the only one on its machine, so any number tells it apart. */
const ownMm = 1;
const ownCgroup = '/';

/** A whole simulated machine behind the port. */
export class SimulatedHost implements Host {
  readonly #machine: SimulatedMachine;
  readonly #memory: AddressSpace;
  readonly #devKvm: SimulatedFile;

  /** Takes a machine whose /dev/kvm can be opened. */
  constructor(machine: SimulatedMachine, memory: AddressSpace) {
    this.#machine = machine;
    this.#memory = memory;
    const opened = machine.open();
    if (!opened.ok) throw KvmError.of('KVM_GET_API_VERSION', opened.errno);
    const caller: Caller = {
      mm: ownMm,
      cgroup: ownCgroup,
      memory: this.#memory,
      pendingSignal: () => 'none',
    };
    this.#devKvm = new SimulatedFile({ machine, caller }, opened.value);
  }

  async facts(): Promise<HostFacts> {
    const { profile, kernelAbi, bringUp } = this.#machine;
    const tdx = bringUp.outcome === 'tdx' ? bringUp.tdx : undefined;
    return {
      kind: 'sim',
      name: `sim:${profile.name}`,
      kernel: {
        rules: kernelAbi.name,
        apiVersion: this.#devKvm.ioctl({ request: 'KVM_GET_API_VERSION', arg: 0n }),
        hasMaxVcpusCap: kernelAbi.maxVcpus.capability !== undefined,
        takesMaxVcpusInInitVm: kernelAbi.maxVcpus.inInitVm !== 'no field',
        presentCpusBind: kernelAbi.maxVcpus.atCreateVm.includes('present CPUs'),
        hasTerminateVm: kernelAbi.tdxCommands.includes('KVM_TDX_TERMINATE_VM'),
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

  async keySlots(): Promise<KeySlots> {
    return this.#machine.keySlots;
  }

  async cgroupRoom(): Promise<number | undefined> {
    const room = this.#machine.cgroupRoom(ownCgroup);
    return Number.isFinite(room) ? room : undefined;
  }

  async checkExtension(capability: CapabilityName): Promise<number> {
    return this.#devKvm.ioctl({
      request: 'KVM_CHECK_EXTENSION',
      capability: capabilities[capability],
    });
  }

  async getSupportedCpuid(): Promise<readonly CpuidEntry[]> {
    const cpuid = new CpuidValue(KVM_MAX_CPUID_ENTRIES);
    this.#devKvm.ioctl({ request: 'KVM_GET_SUPPORTED_CPUID', cpuid });
    return cpuid.entries;
  }

  async createVm(options: { readonly type: VmTypeName }): Promise<SimulatedVm> {
    return new SimulatedVm(
      this.#devKvm.open({ request: 'KVM_CREATE_VM', type: vmTypes[options.type] }),
    );
  }

  async mapMemory(options: { readonly sizeBytes: bigint }): Promise<SimulatedMemory> {
    return this.#memory.map(options.sizeBytes);
  }

  /** Reports every ioctl, SEAMCALL leaf and release from now on; the function it returns ends that. */
  onCall(listener: TraceListener): () => void {
    return this.#machine.listen(listener);
  }

  simulatedTimeNs(): bigint {
    return BigInt(this.#machine.nowNs);
  }

  /** Why the machine offers no TDs; undefined where it does. */
  get tdxMissing(): string | undefined {
    const { bringUp } = this.#machine;
    return bringUp.outcome === 'tdx' ? undefined : bringUp.reason;
  }

  /** What the machine holds right now. */
  snapshot(): Snapshot {
    return this.#machine.snapshot();
  }

  async close(): Promise<void> {
    this.#devKvm.close();
  }
}

/** The host `kvm` is the real thing: /dev/kvm with VMs of type KVM_X86_TDX_VM. */
import { readFile } from 'node:fs/promises';
import { freemem, release, totalmem } from 'node:os';
import type { PassedFd } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { guestAddressWidths } from '../../abi/kvm/cpuid.ts';
import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from '../facts.ts';
import { type KernelFacts, kernelFactsOf } from '../kernel-facts.ts';
import { answered } from '../native/answers.ts';
import { type DevKvm, openDevKvm } from '../native/dev-kvm.ts';
import { type MachineFacts, readMachineFacts } from '../native/machine-facts.ts';
import { MappedMemory, nativeMemory } from '../native/user-memory.ts';
import { own } from '../own.ts';
import type { VmPassingHost } from '../passing.ts';
import type {
  CreateVm,
  GuestMemory,
  Host,
  MapMemory,
  ServiceRequest,
  UserMemory,
  Vm,
  VmFile,
} from '../port.ts';
import { readCgroupMemory, readCgroupRoom } from './cgroup-room.ts';
import { readKeySlots } from './key-slots.ts';
import { KvmGuestMemory } from './kvm-guest-memory.ts';
import { KvmVm } from './kvm-vm.ts';
import { PassedVm } from './passed-vm.ts';
import { probeKernel } from './probe-kernel.ts';
import { requireTdx } from './require-tdx.ts';

/**
 * @param kernel whose rules the kernel has. It is asked what it does where this is left out.
 * @throws TdctlError TDCTL_E_HOST_UNSUPPORTED (exit 8), naming the missing item.
 */
export async function openKvmHost(kernel?: KernelAbi): Promise<Host> {
  const kvm = await openDevKvm('kvm');
  try {
    await requireTdx(kvm.system);
    return new KvmHost(kvm, kernel);
  } catch (error) {
    await kvm.system.close();
    throw error;
  }
}

class KvmHost implements VmPassingHost {
  readonly #kvm: DevKvm;
  readonly #kernel: KernelAbi | undefined;
  #probed: Promise<KernelFacts> | undefined;

  constructor(kvm: DevKvm, kernel: KernelAbi | undefined) {
    this.#kvm = kvm;
    this.#kernel = kernel;
  }

  async facts(): Promise<HostFacts> {
    const machine = await readMachineFacts();
    return {
      kind: 'kvm',
      name: 'kvm',
      kernel: {
        rules: this.#kernel?.name ?? `Linux ${release()}`,
        apiVersion: await answered(this.#kvm.system.kvmGetApiVersion()),
        ...(await this.#kernelFacts(machine)),
      },
      module: await readModule(),
      platform: {
        ...machine,
        guestAddressWidths: guestAddressWidths(await this.getSupportedCpuid()) ?? [48],
        tscKhz: undefined,
      },
      kvm: {
        maxVcpus: await this.checkExtension('KVM_CAP_MAX_VCPUS'),
        maxVcpuIds: await this.checkExtension('KVM_CAP_MAX_VCPU_ID'),
      },
    };
  }

  keySlots(): Promise<KeySlots | undefined> {
    return readKeySlots();
  }

  /** No released kernel has dynamic PAMT, and no interface tells it; the kernel log would. */
  async memory(): Promise<HostMemoryFacts> {
    return {
      totalBytes: BigInt(totalmem()),
      pamt: 'static',
      availableBytes: BigInt(freemem()),
      cgroupBytes: await readCgroupMemory(),
    };
  }

  cgroupRoom(): Promise<number | undefined> {
    return readCgroupRoom();
  }

  checkExtension(capability: CapabilityName): Promise<number> {
    return answered(this.#kvm.system.kvmCheckExtension(capabilities[capability]), capability);
  }

  getSupportedCpuid(): Promise<readonly CpuidEntry[]> {
    return answered(this.#kvm.system.kvmGetSupportedCpuid());
  }

  async createVm({ type }: CreateVm): Promise<Vm> {
    const { initVmStruct } = await this.#kernelFacts();
    const vm = await answered(this.#kvm.system.kvmCreateVm(vmTypes[type]));
    return new KvmVm(vm, { kvm: this.#kvm, initVmStruct });
  }

  mapMemory(options: MapMemory): Promise<UserMemory> {
    return MappedMemory.map(this.#kvm.addon, options);
  }

  fdOf(object: Vm | GuestMemory | UserMemory): { readonly fd: number } {
    if (object instanceof KvmVm || object instanceof KvmGuestMemory) return object.native;
    return nativeMemory(own(object, MappedMemory, 'memory'));
  }

  acceptVm(fd: PassedFd): VmFile {
    return new PassedVm(fd);
  }

  acceptGuestMemory(fd: PassedFd, sizeBytes: bigint): GuestMemory {
    return KvmGuestMemory.ofFd(this.#kvm.addon, { fd, sizeBytes });
  }

  acceptMemory(fd: PassedFd): Promise<UserMemory> {
    return MappedMemory.ofFd(this.#kvm.addon, { fd });
  }

  exchange(request: ServiceRequest): Promise<Uint8Array> {
    return this.#kvm.addon.exchange({ ...request, framing: 'length' });
  }

  close(): Promise<void> {
    return this.#kvm.system.close();
  }

  /** A kernel is asked once, and again where it refused to answer. */
  async #kernelFacts(machine?: MachineFacts): Promise<KernelFacts> {
    if (this.#kernel !== undefined) return kernelFactsOf(this.#kernel);
    const { presentCpus } = machine ?? (await readMachineFacts());
    this.#probed ??= probeKernel(this.#kvm, { presentCpus });
    try {
      return await this.#probed;
    } catch (error) {
      this.#probed = undefined;
      throw error;
    }
  }
}

/** Linux 7.3 has the version in sysfs (drivers/virt/coco/tdx-host), and the vCPU limit nowhere. */
async function readModule(): Promise<HostFacts['module']> {
  const version = await readFile('/sys/devices/faux/tdx_host/version', 'utf8').catch(() => '');
  return version.trim() === '' ? undefined : { release: version.trim(), maxVcpusPerTd: undefined };
}

/** The host `kvm` is the real thing: /dev/kvm with VMs of type KVM_X86_TDX_VM. */
import { readFile } from 'node:fs/promises';
import { release, totalmem } from 'node:os';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { guestAddressWidths } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import { type HostFacts, type HostMemoryFacts, type KeySlots, releasedKernel } from '../facts.ts';
import { answered } from '../native/answers.ts';
import { type DevKvm, openDevKvm } from '../native/dev-kvm.ts';
import { readMachineFacts } from '../native/machine-facts.ts';
import { MappedMemory } from '../native/user-memory.ts';
import type { CreateVm, Host, MapMemory, UserMemory, Vm } from '../port.ts';
import { readCgroupRoom } from './cgroup-room.ts';
import { readKeySlots } from './key-slots.ts';
import { KvmVm } from './kvm-vm.ts';
import { requireTdx } from './require-tdx.ts';

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED (exit 8), naming the missing item. */
export async function openKvmHost(): Promise<Host> {
  const kvm = await openDevKvm('kvm');
  try {
    await requireTdx(kvm.system);
    return new KvmHost(kvm);
  } catch (error) {
    await kvm.system.close();
    throw error;
  }
}

class KvmHost implements Host {
  readonly #kvm: DevKvm;

  constructor(kvm: DevKvm) {
    this.#kvm = kvm;
  }

  async facts(): Promise<HostFacts> {
    return {
      kind: 'kvm',
      name: 'kvm',
      kernel: {
        rules: `Linux ${release()}`,
        apiVersion: await answered(this.#kvm.system.kvmGetApiVersion()),
        ...releasedKernel,
        memoryAttributesOf: await this.#memoryAttributesOf(),
      },
      module: await readModule(),
      platform: {
        ...(await readMachineFacts()),
        guestAddressWidths: guestAddressWidths(await this.getSupportedCpuid()) ?? [48],
        tscKhz: undefined,
      },
      kvm: {
        maxVcpus: await this.checkExtension('KVM_CAP_MAX_VCPUS'),
        maxVcpuIds: await this.checkExtension('KVM_CAP_MAX_VCPU_ID'),
      },
    };
  }

  /** A kernel that keeps them with each guest_memfd announces it; no released one does. */
  async #memoryAttributesOf() {
    const ofFiles = await this.checkExtension('KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES');
    return ofFiles === 0 ? releasedKernel.memoryAttributesOf : 'each guest_memfd';
  }

  keySlots(): Promise<KeySlots | undefined> {
    return readKeySlots();
  }

  /** No released kernel has dynamic PAMT, and no interface tells it; the kernel log would. */
  async memory(): Promise<HostMemoryFacts> {
    return { totalBytes: BigInt(totalmem()), pamt: 'static' };
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
    return new KvmVm(await answered(this.#kvm.system.kvmCreateVm(vmTypes[type])));
  }

  mapMemory({ sizeBytes }: MapMemory): Promise<UserMemory> {
    return MappedMemory.map(this.#kvm.addon, sizeBytes);
  }

  close(): Promise<void> {
    return this.#kvm.system.close();
  }
}

/** Linux 7.3 has the version in sysfs (drivers/virt/coco/tdx-host), and the vCPU limit nowhere. */
async function readModule(): Promise<HostFacts['module']> {
  const version = await readFile('/sys/devices/faux/tdx_host/version', 'utf8').catch(() => '');
  return version.trim() === '' ? undefined : { release: version.trim(), maxVcpusPerTd: undefined };
}

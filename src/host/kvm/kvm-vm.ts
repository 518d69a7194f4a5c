import type { Vm as NativeVm } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { KVM_MEMORY_ATTRIBUTE_PRIVATE, NO_FD } from '../../abi/kvm/structs.ts';
import { withXfam } from '../../abi/tdx/xfam.ts';
import type { KernelFacts } from '../kernel-facts.ts';
import { answered } from '../native/answers.ts';
import { nativeMemory } from '../native/user-memory.ts';
import { own } from '../own.ts';
import type * as port from '../port.ts';
import { KvmGuestMemory } from './kvm-guest-memory.ts';
import { KvmVcpu } from './kvm-vcpu.ts';

export class KvmVm implements port.Vm {
  readonly #vm: NativeVm;
  readonly #initVmStruct: KernelFacts['initVmStruct'];

  constructor(vm: NativeVm, { initVmStruct }: Pick<KernelFacts, 'initVmStruct'>) {
    this.#vm = vm;
    this.#initVmStruct = initVmStruct;
  }

  checkExtension(capability: CapabilityName): Promise<number> {
    return answered(this.#vm.kvmCheckExtension(capabilities[capability]), capability);
  }

  enableCap({ capability, args = [] }: port.EnableCap): Promise<void> {
    const asked = this.#vm.kvmEnableCap({ capability: capabilities[capability], args });
    return answered(asked, capability);
  }

  setTscKhz({ tscKhz }: port.SetTscKhz): Promise<void> {
    return answered(this.#vm.kvmSetTscKhz(tscKhz));
  }

  async createVcpu({ id }: port.CreateVcpu): Promise<port.Vcpu> {
    return new KvmVcpu(await answered(this.#vm.kvmCreateVcpu(id)));
  }

  async createGuestMemfd({ sizeBytes }: port.CreateGuestMemfd): Promise<port.GuestMemory> {
    return new KvmGuestMemory(await answered(this.#vm.kvmCreateGuestMemfd({ sizeBytes })));
  }

  async linkGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    const source = own(memory, KvmGuestMemory, 'guest_memfd').native;
    return new KvmGuestMemory(await answered(this.#vm.kvmLinkGuestMemfd(source)));
  }

  async receiveGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    return own(memory, KvmGuestMemory, 'guest_memfd').share();
  }

  moveEncContextFrom({ source }: port.MoveEncContextFrom): Promise<void> {
    const capability = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM';
    if (source === undefined) return this.enableCap({ capability, args: [NO_FD] });
    const from = own(source, KvmVm, 'VM').#vm;
    return answered(this.#vm.kvmMoveEncContextFrom(from), capability);
  }

  setUserMemoryRegion2({ memory, guestMemory, ...region }: port.MemoryRegion): Promise<void> {
    return answered(
      this.#vm.kvmSetUserMemoryRegion2({
        ...region,
        memory: nativeMemory(memory),
        ...(guestMemory && {
          guestMemfd: own(guestMemory.memory, KvmGuestMemory, 'guest_memfd').native,
          guestMemfdOffsetBytes: guestMemory.offsetBytes,
        }),
      }),
    );
  }

  setMemoryAttributes({ gpa, sizeBytes, isPrivate }: port.MemoryAttributes): Promise<void> {
    const attributes = attributesOf(isPrivate);
    return answered(this.#vm.kvmSetMemoryAttributes({ gpa, sizeBytes, attributes }));
  }

  setMemoryAttributes2(options: port.MemoryAttributes2): Promise<void> {
    const { memory, offsetBytes, sizeBytes, isPrivate } = options;
    const { native } = own(memory, KvmGuestMemory, 'guest_memfd');
    const attributes = attributesOf(isPrivate);
    return answered(native.kvmSetMemoryAttributes2({ offsetBytes, sizeBytes, attributes }));
  }

  tdxCapabilities(): Promise<port.TdxCapabilities> {
    return answered(this.#vm.tdxCapabilities());
  }

  tdxInitVm({ maxVcpus = 0, ...params }: port.TdxInitVm): Promise<void> {
    if (this.#initVmStruct === 'sized by nent') return answered(this.#vm.tdxInitVm(params));
    const { xfam, ...others } = params;
    const cpuid = withXfam(others.cpuid, xfam);
    return answered(this.#vm.tdxInitVmFixed({ ...others, maxVcpus, cpuid }));
  }

  tdxFinalizeVm(): Promise<void> {
    return answered(this.#vm.tdxFinalizeVm());
  }

  tdxTerminateVm(): Promise<void> {
    return answered(this.#vm.tdxTerminateVm());
  }

  async mrtd(): Promise<undefined> {
    return undefined;
  }

  close(): Promise<void> {
    return this.#vm.close();
  }
}

function attributesOf(isPrivate: boolean): bigint {
  return isPrivate ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n;
}

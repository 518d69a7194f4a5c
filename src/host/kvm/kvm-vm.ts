import type { Vm as NativeVm } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { KVM_HC_MAP_GPA_RANGE } from '../../abi/kvm/exits.ts';
import { KVM_MEMORY_ATTRIBUTE_PRIVATE, NO_FD } from '../../abi/kvm/structs.ts';
import { withXfam } from '../../abi/tdx/xfam.ts';
import type { KernelFacts } from '../kernel-facts.ts';
import { KvmError } from '../kvm-error.ts';
import { answered } from '../native/answers.ts';
import type { DevKvm } from '../native/dev-kvm.ts';
import { NativeGuest } from '../native/native-guest.ts';
import { nativeMemory } from '../native/user-memory.ts';
import { own } from '../own.ts';
import type * as port from '../port.ts';
import { KvmGuestMemory } from './kvm-guest-memory.ts';
import { KvmVcpu } from './kvm-vcpu.ts';
import { PassedVm } from './passed-vm.ts';

interface KvmVmOptions extends Pick<KernelFacts, 'initVmStruct'> {
  readonly kvm: DevKvm;
}

export class KvmVm implements port.Vm {
  readonly #vm: NativeVm;
  readonly #initVmStruct: KernelFacts['initVmStruct'];
  readonly #kvm: DevKvm;

  constructor(vm: NativeVm, { kvm, initVmStruct }: KvmVmOptions) {
    this.#vm = vm;
    this.#kvm = kvm;
    this.#initVmStruct = initVmStruct;
  }

  get native(): NativeVm {
    return this.#vm;
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
    return KvmGuestMemory.of(await answered(this.#vm.kvmCreateGuestMemfd({ sizeBytes })));
  }

  async linkGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    const source = own(memory, KvmGuestMemory, 'guest_memfd').native;
    return KvmGuestMemory.of(await answered(this.#vm.kvmLinkGuestMemfd(source)));
  }

  async receiveGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    return own(memory, KvmGuestMemory, 'guest_memfd').share();
  }

  moveEncContextFrom({ source }: port.MoveEncContextFrom): Promise<void> {
    const capability = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM';
    if (source === undefined) return this.enableCap({ capability, args: [NO_FD] });
    const from = source instanceof PassedVm ? source : own(source, KvmVm, 'VM');
    return answered(this.#vm.kvmMoveEncContextFrom(from.native), capability);
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

  signalMsi(message: port.MsiMessage): Promise<void> {
    return answered(this.#vm.kvmSignalMsi(message));
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

  /** vcpu->arch.guest_state_protected. */
  async startKernel(): Promise<never> {
    throw KvmError.of('KVM_SET_SREGS', 'EINVAL');
  }

  /**
   * The state of a TD's vCPUs is in the module and moves there. Its irqchip is split, so its I/O APIC would be
   * ours, and there is none: COM1 has no interrupt, and a guest polls it.
   */
  async makeGuest({ vcpus, io }: port.MakeGuest): Promise<NativeGuest> {
    const { addon, system } = this.#kvm;
    // Without it KVM refuses MapGPA by itself, and the guest could share no memory.
    const mask = 1n << KVM_HC_MAP_GPA_RANGE;
    await this.enableCap({ capability: 'KVM_CAP_EXIT_HYPERCALL', args: [mask] });
    return NativeGuest.make(addon, {
      vm: this.#vm,
      vcpus: vcpus.map((vcpu) => own(vcpu, KvmVcpu, 'vCPU').native),
      runBytes: await answered(system.kvmGetVcpuMmapSize()),
      apicInKernel: true,
      io,
      state: {},
    });
  }

  close(): Promise<void> {
    return this.#vm.close();
  }
}

function attributesOf(isPrivate: boolean): bigint {
  return isPrivate ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n;
}

import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import {
  KVM_MAX_CPUID_ENTRIES,
  KVM_MEM_GUEST_MEMFD,
  KVM_MEMORY_ATTRIBUTE_PRIVATE,
} from '../../abi/kvm/structs.ts';
import { CapabilitiesValue, type Handle, InitVmValue, StructValue } from '../../simulator/index.ts';
import { KvmError } from '../kvm-error.ts';
import { own } from '../own.ts';
import type * as port from '../port.ts';
import { command } from './command.ts';
import type { SimulatedFile, SimulatedProcess } from './file.ts';
import { SimulatedGuest } from './guest.ts';
import { SimulatedGuestMemory } from './guest-memory.ts';
import { SimulatedVcpu } from './vcpu.ts';

/** A VM of a simulated machine. It needs nothing of the host object. */
export class SimulatedVm implements port.Vm {
  readonly #file: SimulatedFile;

  constructor(file: SimulatedFile) {
    this.#file = file;
  }

  /** Passes the fd to another process, which can close it and name it in a request, and nothing else. */
  passTo(process: SimulatedProcess): SimulatedVm {
    return new SimulatedVm(this.#file.passTo(process));
  }

  async checkExtension(capability: CapabilityName): Promise<number> {
    const number = capabilities[capability];
    return this.#file.ioctl({ request: 'KVM_CHECK_EXTENSION', capability: number }, capability);
  }

  async enableCap(options: port.EnableCap): Promise<void> {
    const { capability, args = [] } = options;
    const cap = new StructValue({ cap: capabilities[capability], flags: 0, args });
    await this.#file.waited({ request: 'KVM_ENABLE_CAP', cap }, capability);
  }

  async setTscKhz(options: port.SetTscKhz): Promise<void> {
    await this.#file.waited({ request: 'KVM_SET_TSC_KHZ', tscKhz: options.tscKhz });
  }

  async createVcpu(options: port.CreateVcpu): Promise<SimulatedVcpu> {
    return new SimulatedVcpu({
      id: options.id,
      file: await this.#file.open({ request: 'KVM_CREATE_VCPU', id: options.id }),
    });
  }

  async createGuestMemfd(options: port.CreateGuestMemfd): Promise<SimulatedGuestMemory> {
    const create = new StructValue({ size: options.sizeBytes, flags: 0n });
    return new SimulatedGuestMemory({
      sizeBytes: options.sizeBytes,
      file: await this.#file.open({ request: 'KVM_CREATE_GUEST_MEMFD', create }),
    });
  }

  async linkGuestMemfd(options: port.ShareGuestMemfd): Promise<SimulatedGuestMemory> {
    const memory = own(options.memory, SimulatedGuestMemory, 'guest_memfd');
    const link = new StructValue({
      guestMemfd: memory.handleFor('KVM_LINK_GUEST_MEMFD'),
      flags: 0n,
    });
    return new SimulatedGuestMemory({
      sizeBytes: memory.sizeBytes,
      file: await this.#file.open({ request: 'KVM_LINK_GUEST_MEMFD', link }),
    });
  }

  async receiveGuestMemfd(options: port.ShareGuestMemfd): Promise<SimulatedGuestMemory> {
    return own(options.memory, SimulatedGuestMemory, 'guest_memfd').passTo(this.#file.process);
  }

  async moveEncContextFrom(options: port.MoveEncContextFrom): Promise<void> {
    const { source } = options;
    // The other process passes its fd (SCM_RIGHTS). A closed fd names no file, as no fd does.
    const fd = source === undefined ? noFile : BigInt(own(source, SimulatedVm, 'VM').handle ?? 0);
    await this.enableCap({ capability: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM', args: [fd] });
  }

  async setUserMemoryRegion2(options: port.MemoryRegion): Promise<void> {
    const { guestMemory } = options;
    const region = new StructValue({
      slot: options.slot,
      flags: guestMemory === undefined ? 0 : KVM_MEM_GUEST_MEMFD,
      guestPhysAddr: options.gpa,
      memorySize: options.sizeBytes,
      userspaceAddr: options.memory.address + options.memoryOffsetBytes,
      guestMemfdOffset: guestMemory?.offsetBytes ?? 0n,
      guestMemfd:
        guestMemory &&
        own(guestMemory.memory, SimulatedGuestMemory, 'guest_memfd').handleFor(
          'KVM_SET_USER_MEMORY_REGION2',
        ),
    });
    await this.#file.waited({ request: 'KVM_SET_USER_MEMORY_REGION2', region });
  }

  async setMemoryAttributes(options: port.MemoryAttributes): Promise<void> {
    const attributes = new StructValue({
      address: options.gpa,
      size: options.sizeBytes,
      attributes: options.isPrivate ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n,
      flags: 0n,
    });
    await this.#file.waited({ request: 'KVM_SET_MEMORY_ATTRIBUTES', attributes });
  }

  async setMemoryAttributes2({ memory, ...options }: port.MemoryAttributes2): Promise<void> {
    own(memory, SimulatedGuestMemory, 'guest_memfd').setAttributes(options);
  }

  async signalMsi({ address, data }: port.MsiMessage): Promise<void> {
    const msi = new StructValue({
      addressLo: Number(BigInt.asUintN(32, address)),
      addressHi: Number(address >> 32n),
      data,
      flags: 0,
      devid: 0,
    });
    await this.#file.waited({ request: 'KVM_SIGNAL_MSI', msi });
  }

  async tdxCapabilities(): Promise<port.TdxCapabilities> {
    // This is the most leaves that a module can have. With room for them, E2BIG cannot come.
    const data = new CapabilitiesValue(KVM_MAX_CPUID_ENTRIES);
    await this.#file.waited({
      request: 'KVM_TDX_CAPABILITIES',
      cmd: command('KVM_TDX_CAPABILITIES'),
      data,
    });
    if (data.value === undefined) throw new Error('KVM_TDX_CAPABILITIES wrote no answer');
    const { supportedAttributes, supportedXfam, cpuid } = data.value;
    return { supportedAttributes, supportedXfam, configurableCpuid: cpuid };
  }

  async tdxInitVm(params: port.TdxInitVm): Promise<void> {
    const data = new InitVmValue({
      ...params,
      reserved: [],
      cpuid: { nent: params.cpuid.length, padding: 0, entries: params.cpuid },
    });
    await this.#file.waited({ request: 'KVM_TDX_INIT_VM', cmd: command('KVM_TDX_INIT_VM'), data });
  }

  async tdxFinalizeVm(): Promise<void> {
    await this.#file.waited({
      request: 'KVM_TDX_FINALIZE_VM',
      cmd: command('KVM_TDX_FINALIZE_VM'),
    });
  }

  async tdxTerminateVm(): Promise<void> {
    await this.#file.waited({
      request: 'KVM_TDX_TERMINATE_VM',
      cmd: command('KVM_TDX_TERMINATE_VM'),
    });
  }

  async mrtd(): Promise<Uint8Array | undefined> {
    return this.#file.process.machine.mrtd(this.#file.handleFor('KVM_MEMORY_ENCRYPT_OP'));
  }

  /** vcpu->arch.guest_state_protected. */
  async startKernel(): Promise<never> {
    throw KvmError.of('KVM_SET_SREGS', 'EINVAL');
  }

  async makeGuest({ vcpus }: port.MakeGuest): Promise<SimulatedGuest> {
    return new SimulatedGuest(vcpus.map((vcpu) => own(vcpu, SimulatedVcpu, 'vCPU')));
  }

  /** The handle is undefined once the VM is closed. */
  get handle(): Handle | undefined {
    return this.#file.openHandle;
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

/** The model takes this for an fd that names no open file. */
const noFile = 0n;

import type { Addon, GuestMemfd, Vm as NativeVm, VcpuStateShape } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { guestAddressBits } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { answered } from '../native/answers.ts';
import { NativeGuest } from '../native/native-guest.ts';
import { nativeMemory } from '../native/user-memory.ts';
import { own } from '../own.ts';
import type * as port from '../port.ts';
import { checkBoth } from './check-both.ts';
import { plainVmState } from './guest-state.ts';
import { SoftGuest } from './soft-guest.ts';
import { SoftVcpu } from './soft-vcpu.ts';
import { startAt, waitForSipi } from './vcpu-start.ts';

/** The kernel behind /dev/kvm, and what it can do. */
export interface RealKernel {
  readonly addon: Addon;
  /** KVM_GET_VCPU_MMAP_SIZE. */
  readonly runBytes: number;
  /** What there is of a vCPU's state. */
  readonly stateShape: VcpuStateShape;
  /** KVM_CAP_GUEST_MEMFD. */
  readonly hasGuestMemfd: boolean;
  /** KVM_CAP_VM_TSC_CONTROL. */
  readonly scalesTsc: boolean;
  /** KVM_GET_SUPPORTED_CPUID. */
  readonly cpuid: readonly CpuidEntry[];
}

/**
 * A real VM of the default type beside a simulated TD.
 *
 * The simulated side is asked first, because it holds the rules of a TD: what it refuses never
 * reaches the real kernel. What only a TD has (INIT_VM, private attributes, measuring) ends there.
 */
export class SoftVm implements port.Vm {
  readonly #real: NativeVm;
  readonly simulated: port.Vm;
  readonly #kernel: RealKernel;
  readonly #onClosed: () => void;
  /** What was made of this VM, to be closed when its process dies. */
  readonly #made: { close(): Promise<void> }[] = [];
  #isAbandoned = false;
  #gpaw = 48;

  constructor(
    real: NativeVm,
    simulated: port.Vm,
    { kernel, onClosed }: { readonly kernel: RealKernel; readonly onClosed: () => void },
  ) {
    this.#real = real;
    this.simulated = simulated;
    this.#kernel = kernel;
    this.#onClosed = onClosed;
  }

  /** Its process dies: the guests stop before anything else happens, and the fds are closed. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const made of this.#made.toReversed()) void made.close();
    void this.close();
  }

  /** What the kernel was still making when the process died goes with it too. */
  #keep(made: { close(): Promise<void> }): void {
    this.#made.push(made);
    if (this.#isAbandoned) void made.close();
  }

  checkExtension(capability: CapabilityName): Promise<number> {
    return checkBoth(capability, { real: this.#real, simulated: this.simulated });
  }

  async enableCap(options: port.EnableCap): Promise<void> {
    await this.simulated.enableCap(options);
    if (options.capability === 'KVM_CAP_SPLIT_IRQCHIP') return this.#createIrqchip();
    if (!plainCapabilities.has(options.capability)) return;
    const { capability, args = [] } = options;
    const asked = this.#real.kvmEnableCap({ capability: capabilities[capability], args });
    await answered(asked, capability);
  }

  /**
   * A TD has no other choice than a split irqchip. In the plain VM the kernel has the other half too, so
   * that a guest that knows of no TD has interrupts of its COM1 and a timer.
   */
  async #createIrqchip(): Promise<void> {
    await answered(this.#real.kvmCreateIrqchip());
    await answered(this.#real.kvmCreatePit2());
  }

  async setTscKhz(options: port.SetTscKhz): Promise<void> {
    await this.simulated.setTscKhz(options);
    // Without TSC scaling the real kernel would refuse, and the guest has the host's frequency.
    if (this.#kernel.scalesTsc) await answered(this.#real.kvmSetTscKhz(options.tscKhz));
  }

  async createVcpu(options: port.CreateVcpu): Promise<port.Vcpu> {
    const simulated = await this.simulated.createVcpu(options);
    try {
      const real = await answered(this.#real.kvmCreateVcpu(options.id));
      this.#keep(real);
      const realCpuid = this.#kernel.cpuid;
      return new SoftVcpu({ real, simulated, realCpuid, gpaw: () => this.#gpaw });
    } catch (error) {
      await simulated.close();
      throw error;
    }
  }

  async createGuestMemfd(options: port.CreateGuestMemfd): Promise<port.GuestMemory> {
    return this.#beside(await this.simulated.createGuestMemfd(options));
  }

  /** Makes a real guest_memfd beside a simulated one, where the kernel has them. */
  async #beside(simulated: port.GuestMemory): Promise<SoftGuestMemory> {
    if (!this.#kernel.hasGuestMemfd) return new SoftGuestMemory(simulated);
    try {
      const { sizeBytes } = simulated;
      const real = await answered(this.#real.kvmCreateGuestMemfd({ sizeBytes }));
      this.#keep(real);
      return new SoftGuestMemory(simulated, real);
    } catch (error) {
      await simulated.close();
      throw error;
    }
  }

  /** KVM binds a real guest_memfd to its own VM, so this VM gets another one. */
  async linkGuestMemfd(options: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    const memory = own(options.memory, SoftGuestMemory, 'guest_memfd');
    const simulated = await this.simulated.linkGuestMemfd({ memory: memory.simulated });
    return this.#beside(simulated);
  }

  /** The VM receives the simulated file only, because a real guest_memfd serves no second VM. */
  async receiveGuestMemfd(options: port.ShareGuestMemfd): Promise<port.GuestMemory> {
    const memory = own(options.memory, SoftGuestMemory, 'guest_memfd').simulated;
    const simulated = await this.simulated.receiveGuestMemfd({ memory });
    return new SoftGuestMemory(simulated);
  }

  /** The real VMs stay as they are, because what moves is the simulated TD. */
  async moveEncContextFrom({ source }: port.MoveEncContextFrom): Promise<void> {
    await this.simulated.moveEncContextFrom({
      source: source && own(source, SoftVm, 'VM').simulated,
    });
  }

  async setUserMemoryRegion2(region: port.MemoryRegion): Promise<void> {
    const { memory, guestMemory, ...place } = region;
    const backing = guestMemory && own(guestMemory.memory, SoftGuestMemory, 'guest_memfd');
    await this.simulated.setUserMemoryRegion2({
      ...place,
      memory,
      ...(guestMemory &&
        backing && {
          guestMemory: { memory: backing.simulated, offsetBytes: guestMemory.offsetBytes },
        }),
    });
    await answered(
      this.#real.kvmSetUserMemoryRegion2({
        ...place,
        memory: nativeMemory(memory),
        ...(guestMemory &&
          backing?.real && {
            guestMemfd: backing.real,
            guestMemfdOffsetBytes: guestMemory.offsetBytes,
          }),
      }),
    );
  }

  setMemoryAttributes(options: port.MemoryAttributes): Promise<void> {
    return this.simulated.setMemoryAttributes(options);
  }

  setMemoryAttributes2({ memory, ...options }: port.MemoryAttributes2): Promise<void> {
    const { simulated } = own(memory, SoftGuestMemory, 'guest_memfd');
    return this.simulated.setMemoryAttributes2({ ...options, memory: simulated });
  }

  async signalMsi(message: port.MsiMessage): Promise<void> {
    await this.simulated.signalMsi(message);
    await answered(this.#real.kvmSignalMsi(message));
  }

  tdxCapabilities(): Promise<port.TdxCapabilities> {
    return this.simulated.tdxCapabilities();
  }

  async tdxInitVm(params: port.TdxInitVm): Promise<void> {
    await this.simulated.tdxInitVm(params);
    this.#gpaw = guestAddressBits(params.cpuid) ?? 48;
  }

  tdxFinalizeVm(): Promise<void> {
    return this.simulated.tdxFinalizeVm();
  }

  tdxTerminateVm(): Promise<void> {
    return this.simulated.tdxTerminateVm();
  }

  mrtd(): Promise<Uint8Array | undefined> {
    return this.simulated.mrtd();
  }

  async startKernel({ vcpus, registers }: port.StartKernel): Promise<void> {
    for (const [place, vcpu] of vcpus.entries()) {
      const { real } = own(vcpu, SoftVcpu, 'vCPU');
      await (place === 0 ? startAt(real, registers) : waitForSipi(real));
    }
  }

  async makeGuest({ vcpus, io }: port.MakeGuest): Promise<SoftGuest> {
    const { addon, runBytes, stateShape } = this.#kernel;
    const both = vcpus.map((vcpu) => own(vcpu, SoftVcpu, 'vCPU'));
    const beside = both.map(({ simulated }) => simulated);
    const simulated = await this.simulated.makeGuest({ vcpus: beside, io });
    const real = both.map((vcpu) => vcpu.real);
    const guest = await NativeGuest.make(addon, {
      vm: this.#real,
      vcpus: real,
      runBytes,
      interrupt: { line: COM1_LINE },
      apicInKernel: true,
      io,
      state: plainVmState(this.#real, real, stateShape),
      stateShape,
    });
    this.#keep(guest);
    return new SoftGuest(guest, simulated);
  }

  async close(): Promise<void> {
    this.#onClosed();
    await this.#real.close();
    await this.simulated.close();
  }
}

/** The interrupt line of COM1 since the PC/AT. */
const COM1_LINE = 4;

/** A real guest_memfd, where the kernel has them, beside the simulated one. */
class SoftGuestMemory implements port.GuestMemory {
  readonly simulated: port.GuestMemory;
  readonly real: GuestMemfd | undefined;

  constructor(simulated: port.GuestMemory, real?: GuestMemfd) {
    this.simulated = simulated;
    this.real = real;
  }

  get sizeBytes(): bigint {
    return this.simulated.sizeBytes;
  }

  async punchHole(range: port.PagesOfMemory): Promise<void> {
    await this.simulated.punchHole(range);
    const { offsetBytes, sizeBytes } = range;
    if (this.real !== undefined) await answered(this.real.punchHole(offsetBytes, sizeBytes));
  }

  async close(): Promise<void> {
    await this.real?.close();
    await this.simulated.close();
  }
}

/** The capabilities that a VM of the default type takes too. */
const plainCapabilities: ReadonlySet<CapabilityName> = new Set([
  'KVM_CAP_MAX_VCPU_ID',
  'KVM_CAP_X2APIC_API',
  'KVM_CAP_EXIT_HYPERCALL',
]);

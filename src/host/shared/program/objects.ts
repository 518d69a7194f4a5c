/** The objects of the port that live on a shared host. */
import type { CapabilityName } from '../../../abi/kvm/capabilities.ts';
import { type CpuidEntry, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import { KvmError } from '../../kvm-error.ts';
import { own } from '../../own.ts';
import type * as port from '../../port.ts';
import type { ObjectFacts } from '../wire/messages.ts';
import type { Reference } from '../wire/values.ts';
import { SharedGuest } from './guest.ts';
import type { Link } from './link.ts';
import { type ProgramMemory, SharedMemory } from './memory.ts';
import { SharedFile } from './shared-file.ts';

export class SharedVm extends SharedFile implements port.Vm {
  checkExtension(capability: CapabilityName): Promise<number> {
    return this.ask('checkExtension', capability);
  }

  enableCap({ capability, args }: port.EnableCap): Promise<void> {
    return this.ask('enableCap', { capability, args });
  }

  setTscKhz({ tscKhz }: port.SetTscKhz): Promise<void> {
    return this.ask('setTscKhz', { tscKhz });
  }

  createVcpu({ id }: port.CreateVcpu): Promise<SharedVcpu> {
    return this.ask('createVcpu', { id });
  }

  createGuestMemfd({ sizeBytes }: port.CreateGuestMemfd): Promise<SharedGuestMemory> {
    return this.ask('createGuestMemfd', { sizeBytes });
  }

  async linkGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<SharedGuestMemory> {
    return this.ask('linkGuestMemfd', { memory: ownGuestMemory(memory) });
  }

  async receiveGuestMemfd({ memory }: port.ShareGuestMemfd): Promise<SharedGuestMemory> {
    return this.ask('receiveGuestMemfd', { memory: ownGuestMemory(memory) });
  }

  async moveEncContextFrom({ source }: port.MoveEncContextFrom): Promise<void> {
    return this.ask('moveEncContextFrom', { source: source && own(source, SharedVm, 'VM') });
  }

  async setUserMemoryRegion2(region: port.MemoryRegion): Promise<void> {
    const { slot, gpa, sizeBytes, memory, memoryOffsetBytes, guestMemory } = region;
    return this.ask('setUserMemoryRegion2', {
      ...{ slot, gpa, sizeBytes, memoryOffsetBytes },
      memory: own(memory, SharedMemory, 'memory'),
      guestMemory: guestMemory && {
        memory: ownGuestMemory(guestMemory.memory),
        offsetBytes: guestMemory.offsetBytes,
      },
    });
  }

  setMemoryAttributes({ gpa, sizeBytes, isPrivate }: port.MemoryAttributes): Promise<void> {
    return this.ask('setMemoryAttributes', { gpa, sizeBytes, isPrivate });
  }

  async setMemoryAttributes2({ memory, ...range }: port.MemoryAttributes2): Promise<void> {
    return this.ask('setMemoryAttributes2', { ...range, memory: ownGuestMemory(memory) });
  }

  signalMsi({ address, data }: port.MsiMessage): Promise<void> {
    return this.ask('signalMsi', { address, data });
  }

  tdxCapabilities(): Promise<port.TdxCapabilities> {
    return this.ask('tdxCapabilities');
  }

  tdxInitVm(params: port.TdxInitVm): Promise<void> {
    return this.ask('tdxInitVm', params);
  }

  tdxFinalizeVm(): Promise<void> {
    return this.ask('tdxFinalizeVm');
  }

  tdxTerminateVm(): Promise<void> {
    return this.ask('tdxTerminateVm');
  }

  mrtd(): Promise<Uint8Array | undefined> {
    return this.ask('mrtd');
  }

  startKernel({ registers }: port.StartKernel): Promise<void> {
    return this.ask('startKernel', { registers });
  }

  /** The guest prints nothing and asks for nothing, so what it is given for that stays here. */
  async makeGuest({ vcpus }: port.MakeGuest): Promise<SharedGuest> {
    return this.ask('makeGuest', { vcpus: vcpus.map((vcpu) => own(vcpu, SharedVcpu, 'vCPU')) });
  }
}

export class SharedVcpu extends SharedFile implements port.Vcpu {
  readonly id: number;

  constructor(link: Link, token: number, { id }: ObjectFacts['vcpu']) {
    super(link, token);
    this.id = id;
  }

  setCpuid2({ entries }: port.SetCpuid2): Promise<void> {
    return this.ask('setCpuid2', { entries });
  }

  tdxInitVcpu({ initialRcx }: port.TdxInitVcpu): Promise<void> {
    return this.ask('tdxInitVcpu', { initialRcx });
  }

  async tdxInitMemRegion(region: port.InitMemRegion): Promise<void> {
    const { sourceOffsetBytes, gpa, pages, measure, signal, onProgress } = region;
    if (signal?.aborted === true) throw KvmError.of('KVM_TDX_INIT_MEM_REGION', 'EINTR');
    const source = own(region.source, SharedMemory, 'memory');
    source.space.sendWritten({
      address: source.address + sourceOffsetBytes,
      sizeBytes: BigInt(pages) * PAGE_SIZE,
    });
    const arg = { source, sourceOffsetBytes, gpa, pages, measure };
    const onTold = onProgress && ((done: unknown) => onProgress(done as number));
    return this.ask('tdxInitMemRegion', arg, { signal, onTold });
  }

  tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    return this.ask('tdxGetCpuid');
  }
}

export class SharedGuestMemory extends SharedFile implements port.GuestMemory {
  readonly sizeBytes: bigint;

  constructor(link: Link, token: number, { sizeBytes }: ObjectFacts['guestMemory']) {
    super(link, token);
    this.sizeBytes = sizeBytes;
  }

  punchHole({ offsetBytes, sizeBytes }: port.PagesOfMemory): Promise<void> {
    return this.ask('punchHole', { offsetBytes, sizeBytes });
  }
}

function ownGuestMemory(memory: port.GuestMemory): SharedGuestMemory {
  return own(memory, SharedGuestMemory, 'guest_memfd');
}

/** Makes the object here of one that the host tells of. */
export function madeBy(
  link: Link,
  { token, facts }: Reference,
  space: ProgramMemory,
): SharedFile | SharedGuest {
  const told = facts as { readonly kind?: keyof ObjectFacts } | undefined;
  switch (told?.kind) {
    case 'vm':
      return new SharedVm(link, token);
    case 'vcpu':
      return new SharedVcpu(link, token, facts as ObjectFacts['vcpu']);
    case 'guestMemory':
      return new SharedGuestMemory(link, token, facts as ObjectFacts['guestMemory']);
    case 'memory':
      return new SharedMemory(link, token, { ...(facts as ObjectFacts['memory']), space });
    case 'guest':
      return new SharedGuest(new SharedFile(link, token));
    default:
      throw new Error(`the host tells of an object ${token} of no kind that is known`);
  }
}

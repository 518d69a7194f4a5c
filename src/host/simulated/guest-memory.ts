import type { RequestName } from '../../abi/kvm/requests.ts';
import { KVM_MEMORY_ATTRIBUTE_PRIVATE } from '../../abi/kvm/structs.ts';
import { type Handle, StructValue } from '../../simulator/index.ts';
import type { GuestMemory, MemoryAttributes2, PagesOfMemory } from '../port.ts';
import type { SimulatedFile, SimulatedProcess } from './file.ts';

/** A guest_memfd of a simulated machine. */
export class SimulatedGuestMemory implements GuestMemory {
  readonly sizeBytes: bigint;
  readonly #file: SimulatedFile;

  constructor(options: { readonly sizeBytes: bigint; readonly file: SimulatedFile }) {
    this.sizeBytes = options.sizeBytes;
    this.#file = options.file;
  }

  /** @throws KvmError EBADF after {@link close}, as binding or linking a closed fd does. */
  handleFor(request: RequestName): Handle {
    return this.#file.handleFor(request);
  }

  passTo(process: SimulatedProcess): SimulatedGuestMemory {
    const { sizeBytes } = this;
    return new SimulatedGuestMemory({ sizeBytes, file: this.#file.passTo(process) });
  }

  setAttributes(options: Omit<MemoryAttributes2, 'memory'>): void {
    const attributes = new StructValue({
      offset: options.offsetBytes,
      size: options.sizeBytes,
      attributes: options.isPrivate ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n,
      flags: 0n,
      errorOffset: 0n,
      reserved: [],
    });
    this.#file.ioctl({ request: 'KVM_SET_MEMORY_ATTRIBUTES2', attributes });
  }

  async punchHole({ offsetBytes, sizeBytes }: PagesOfMemory): Promise<void> {
    this.#file.ioctl({
      request: 'fallocate',
      mode: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
      offset: offsetBytes,
      length: sizeBytes,
    });
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

/** Source: include/uapi/linux/falloc.h. */
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

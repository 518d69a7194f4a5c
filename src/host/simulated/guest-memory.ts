import type { Handle } from '../../simulator/index.ts';
import type { GuestMemory } from '../port.ts';
import type { SimulatedFile } from './file.ts';

/** A guest_memfd of a simulated machine. */
export class SimulatedGuestMemory implements GuestMemory {
  readonly sizeBytes: bigint;
  readonly #file: SimulatedFile;

  constructor(options: { readonly sizeBytes: bigint; readonly file: SimulatedFile }) {
    this.sizeBytes = options.sizeBytes;
    this.#file = options.file;
  }

  /** @throws KvmError EBADF after {@link close}, as binding a closed fd does. */
  get handle(): Handle {
    return this.#file.handleFor('KVM_SET_USER_MEMORY_REGION2');
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

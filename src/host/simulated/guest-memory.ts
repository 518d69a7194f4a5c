import type { RequestName } from '../../abi/kvm/requests.ts';
import type { Handle } from '../../simulator/index.ts';
import type { GuestMemory } from '../port.ts';
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

  async close(): Promise<void> {
    this.#file.close();
  }
}

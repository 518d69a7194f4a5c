import type { GuestMemfd } from '../../../native/index.ts';
import type { GuestMemory } from '../port.ts';

/** A guest_memfd that several VMs of this process may hold. The last to close it closes the fd. */
export class KvmGuestMemory implements GuestMemory {
  readonly native: GuestMemfd;
  readonly #holders: { count: number };
  #closed = false;

  constructor(native: GuestMemfd, holders: { count: number } = { count: 0 }) {
    this.native = native;
    this.#holders = holders;
    holders.count++;
  }

  get sizeBytes(): bigint {
    return this.native.sizeBytes;
  }

  share(): KvmGuestMemory {
    return new KvmGuestMemory(this.native, this.#holders);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#holders.count--;
    if (this.#holders.count === 0) await this.native.close();
  }
}

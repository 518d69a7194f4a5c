import type { Addon, GuestMemfd, PassedFd } from '../../../native/index.ts';
import { Holding } from '../holding.ts';
import { answered } from '../native/answers.ts';
import type { GuestMemory, PagesOfMemory } from '../port.ts';

/** A guest_memfd that several VMs of this process may hold. */
export class KvmGuestMemory implements GuestMemory {
  readonly #file: Holding<GuestMemfd>;

  private constructor(file: Holding<GuestMemfd>) {
    this.#file = file;
  }

  static of(file: GuestMemfd): KvmGuestMemory {
    return new KvmGuestMemory(Holding.first(file, () => file.close()));
  }

  /** Of another process's VM. The fd is taken over. */
  static ofFd(
    addon: Addon,
    { fd, sizeBytes }: { readonly fd: PassedFd; readonly sizeBytes: bigint },
  ): KvmGuestMemory {
    try {
      return KvmGuestMemory.of(addon.GuestMemfd.ofFd(fd, sizeBytes));
    } finally {
      void fd.close();
    }
  }

  get native(): GuestMemfd {
    return this.#file.thing;
  }

  get sizeBytes(): bigint {
    return this.native.sizeBytes;
  }

  punchHole({ offsetBytes, sizeBytes }: PagesOfMemory): Promise<void> {
    return answered(this.native.punchHole(offsetBytes, sizeBytes));
  }

  share(): KvmGuestMemory {
    return new KvmGuestMemory(this.#file.another());
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

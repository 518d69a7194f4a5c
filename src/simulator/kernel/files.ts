import type { Handle } from '../interface.ts';
import type { GuestMemfd, Vcpu, Vm } from './objects.ts';

/** An open file description. */
export type KernelFile =
  | { readonly kind: 'system' }
  | { readonly kind: 'vm'; readonly vm: Vm }
  | { readonly kind: 'vcpu'; readonly vcpu: Vcpu }
  | { readonly kind: 'guest_memfd'; readonly guestMemfd: GuestMemfd }
  /** Statistics of a VM or of one of its vCPUs. The file is only read, it takes no ioctl. */
  | { readonly kind: 'stats'; readonly vm: Vm };

export class FileTable {
  readonly #files = new Map<Handle, KernelFile>();
  #last = 0;

  install(file: KernelFile): Handle {
    this.#last++;
    this.#files.set(this.#last, file);
    return this.#last;
  }

  get(handle: Handle): KernelFile | undefined {
    return this.#files.get(handle);
  }

  remove(handle: Handle): KernelFile | undefined {
    const file = this.#files.get(handle);
    this.#files.delete(handle);
    return file;
  }

  get size(): number {
    return this.#files.size;
  }

  entries(): IterableIterator<[Handle, KernelFile]> {
    return this.#files.entries();
  }
}

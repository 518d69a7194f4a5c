import { PAGE_SIZE } from '../../abi/kvm/structs.ts';
import type { Handle, MadeFile } from '../interface.ts';
import type { GuestMemfd, Vcpu, VfioDevice, Vm } from './objects.ts';
import { type StatisticsFile, statisticsBytes } from './statistics.ts';

/** An open file description. */
export type KernelFile =
  | { readonly kind: 'system' }
  | { readonly kind: 'vm'; readonly vm: Vm }
  | { readonly kind: 'vcpu'; readonly vcpu: Vcpu }
  | { readonly kind: 'guest_memfd'; readonly guestMemfd: GuestMemfd }
  /** Statistics of a VM or of one of its vCPUs. The file is only read, it takes no ioctl. */
  | { readonly kind: 'stats'; readonly statistics: StatisticsFile }
  | { readonly kind: 'device'; readonly device: VfioDevice };

type Facts<Made = MadeFile> = Made extends MadeFile ? Omit<Made, 'handle'> : never;

function factsOf(file: KernelFile): Facts {
  switch (file.kind) {
    case 'vcpu':
      return { kind: 'vcpu', id: file.vcpu.id };
    case 'guest_memfd': {
      const { sizePages, mappable } = file.guestMemfd.inode;
      return { kind: 'guest_memfd', sizeBytes: BigInt(sizePages) * PAGE_SIZE, mappable };
    }
    case 'stats':
      return { kind: 'stats', sizeBytes: BigInt(statisticsBytes(file.statistics)) };
    default:
      return { kind: file.kind };
  }
}

export class FileTable {
  readonly #files = new Map<Handle, KernelFile>();
  #last = 0;

  install(file: KernelFile): MadeFile {
    this.#last++;
    this.#files.set(this.#last, file);
    return { handle: this.#last, ...factsOf(file) };
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

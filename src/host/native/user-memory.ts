import type { Addon, UserMemory as NativeMemory, PassedFd } from '../../../native/index.ts';
import { Holding } from '../holding.ts';
import { own } from '../own.ts';
import type { MapMemory, PagesOfMemory, UserMemory } from '../port.ts';
import { answered } from './answers.ts';

interface Seen {
  /** Sees the memory when it is mapped, and gives what is to be done before it is unmapped. */
  readonly onMapped?: (memory: NativeMemory) => () => void;
}

interface Mapping extends MapMemory, Seen {}

/** Memory of this process behind the port's interface; `native` is what ioctls are given. */
export class MappedMemory implements UserMemory {
  readonly #mapping: Holding<NativeMemory>;

  private constructor(mapping: Holding<NativeMemory>) {
    this.#mapping = mapping;
  }

  /** New memory is a memfd, so that another process can have it too. */
  static async map(
    addon: Addon,
    { sizeBytes, sharedWith, onMapped = () => () => {} }: Mapping,
  ): Promise<MappedMemory> {
    if (sharedWith !== undefined) {
      return new MappedMemory(own(sharedWith, MappedMemory, 'memory').#mapping.another());
    }
    return MappedMemory.#seen(
      await answered(addon.UserMemory.map(sizeBytes, { shared: true })),
      onMapped,
    );
  }

  /** The memory of another process, by its memfd, which is taken over. */
  static async ofFd(
    addon: Addon,
    { fd, onMapped = () => () => {} }: Seen & { readonly fd: PassedFd },
  ): Promise<MappedMemory> {
    try {
      return MappedMemory.#seen(await answered(addon.UserMemory.ofFd(fd)), onMapped);
    } finally {
      await fd.close();
    }
  }

  static #seen(native: NativeMemory, onMapped: NonNullable<Seen['onMapped']>): MappedMemory {
    const beforeUnmapped = onMapped(native);
    const unmap = () => {
      beforeUnmapped();
      return native.close();
    };
    return new MappedMemory(Holding.first(native, unmap));
  }

  get native(): NativeMemory {
    return this.#mapping.thing;
  }

  get address(): bigint {
    return this.native.address;
  }

  get sizeBytes(): bigint {
    return this.native.sizeBytes;
  }

  write({
    offsetBytes,
    bytes,
  }: {
    readonly offsetBytes: bigint;
    readonly bytes: Uint8Array;
  }): void {
    this.native.write(offsetBytes, bytes);
  }

  read(offsetBytes: bigint, lengthBytes: number): Uint8Array {
    return this.native.read(offsetBytes, lengthBytes);
  }

  discard({ offsetBytes, sizeBytes }: PagesOfMemory): Promise<void> {
    return answered(this.native.discard(offsetBytes, sizeBytes));
  }

  close(): Promise<void> {
    return this.#mapping.close();
  }
}

/** Objects of one host are never handed to another. */
export function nativeMemory(memory: UserMemory): NativeMemory {
  return own(memory, MappedMemory, 'memory').native;
}

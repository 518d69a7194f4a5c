import type { Addon } from '../../../native/index.ts';
import { MappedMemory } from '../native/user-memory.ts';
import type { AddressSpace, ReadableMemory } from '../simulated/index.ts';

/** Real memory of this process, from which the simulated module measures at its real address. */
export class SharedMemory extends MappedMemory implements ReadableMemory {
  #unshare: () => void = () => undefined;

  static async share(
    addon: Addon,
    {
      sizeBytes,
      addressSpace,
    }: { readonly sizeBytes: bigint; readonly addressSpace: AddressSpace },
  ): Promise<SharedMemory> {
    const memory = new SharedMemory((await MappedMemory.map(addon, sizeBytes)).native);
    addressSpace.add(memory);
    memory.#unshare = () => addressSpace.remove(memory);
    return memory;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.native.read(BigInt(offsetBytes), lengthBytes);
  }

  override async close(): Promise<void> {
    this.#unshare();
    await super.close();
  }
}

import type { Addon, UserMemory as NativeMemory } from '../../../native/index.ts';
import type { UserMemory } from '../port.ts';
import { answered } from './answers.ts';

/** Memory of this process behind the port's interface; `native` is what ioctls are given. */
export class MappedMemory implements UserMemory {
  readonly native: NativeMemory;

  constructor(native: NativeMemory) {
    this.native = native;
  }

  static async map(addon: Addon, sizeBytes: bigint): Promise<MappedMemory> {
    return new MappedMemory(await answered(addon.UserMemory.map(sizeBytes)));
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

  close(): Promise<void> {
    return this.native.close();
  }
}

/** Objects of one host are never handed to another. */
export function nativeMemory(memory: UserMemory): NativeMemory {
  if (memory instanceof MappedMemory) return memory.native;
  throw new TypeError('this memory was mapped by another host');
}

import type { UserMemory as NativeMemory } from '../../../native/index.ts';
import type { AddressSpace } from '../simulated/index.ts';

/** The simulated module measures real memory at its real address, for as long as it is mapped. */
export function readableIn(addressSpace: AddressSpace): (memory: NativeMemory) => () => void {
  return (memory) => {
    const readable = {
      address: memory.address,
      sizeBytes: memory.sizeBytes,
      bytesAt: (offset: number, length: number) => memory.read(BigInt(offset), length),
    };
    addressSpace.add(readable);
    return () => addressSpace.remove(readable);
  };
}

/** Private memory of a VM from address 0, whose pages come out of the memory beside it. */
import type { SimulatedHost, SimulatedVm } from '../../src/host/simulated/index.ts';

export async function privateMemory(host: SimulatedHost, vm: SimulatedVm, sizeBytes: bigint) {
  const memory = await host.mapMemory({ sizeBytes });
  const guestMemory = await vm.createGuestMemfd({ sizeBytes });
  await vm.setUserMemoryRegion2({
    slot: 0,
    gpa: 0n,
    sizeBytes,
    memory,
    memoryOffsetBytes: 0n,
    guestMemory: { memory: guestMemory, offsetBytes: 0n },
  });
  await vm.setMemoryAttributes({ gpa: 0n, sizeBytes, isPrivate: true });
  return { memory, guestMemory };
}

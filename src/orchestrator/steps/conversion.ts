/** Makes guest memory private or shared where its kernel keeps that: in the VM, or in the guest_memfd. */
import { convertingRequest, type HostFacts } from '../../host/facts.ts';
import type { GuestMemory, Vm } from '../../host/port.ts';

export interface SlotMemory {
  readonly vm: Vm;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  readonly guestMemory: GuestMemory;
  /** Where in it the first page is: 0 where left out, as it is of a whole slot. */
  readonly offsetBytes?: bigint;
}

export function makePrivate(kernel: HostFacts['kernel'], memory: SlotMemory): Promise<void> {
  return convertMemory(kernel, memory, true);
}

export function convertMemory(
  kernel: HostFacts['kernel'],
  { vm, gpa, sizeBytes, guestMemory: memory, offsetBytes = 0n }: SlotMemory,
  isPrivate: boolean,
): Promise<void> {
  return convertingRequest(kernel) === 'KVM_SET_MEMORY_ATTRIBUTES'
    ? vm.setMemoryAttributes({ gpa, sizeBytes, isPrivate })
    : vm.setMemoryAttributes2({ memory, offsetBytes, sizeBytes, isPrivate });
}

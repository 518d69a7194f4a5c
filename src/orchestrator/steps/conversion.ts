/** Makes guest memory private where its kernel keeps that: in the VM, or in the guest_memfd. */
import { convertingRequest, type HostFacts } from '../../host/facts.ts';
import type { GuestMemory, Vm } from '../../host/port.ts';

export interface SlotMemory {
  readonly vm: Vm;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  /** The slot begins with its first page. */
  readonly guestMemory: GuestMemory;
}

export function makePrivate(kernel: HostFacts['kernel'], slot: SlotMemory): Promise<void> {
  const { vm, gpa, sizeBytes, guestMemory: memory } = slot;
  return convertingRequest(kernel) === 'KVM_SET_MEMORY_ATTRIBUTES'
    ? vm.setMemoryAttributes({ gpa, sizeBytes, isPrivate: true })
    : vm.setMemoryAttributes2({ memory, offsetBytes: 0n, sizeBytes, isPrivate: true });
}

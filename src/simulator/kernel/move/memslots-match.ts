import type { MemorySlot, Vm } from '../objects.ts';
import type { Move } from './move.ts';

/**
 * Compares the slots of address space 0 in pairs, by guest address: they need the same place, size and
 * flags, and the same part of the same guest_memfd inode. userspace_addr and slot numbers do not count.
 */
export function memslotsMatch(move: Move): boolean {
  const slots = sortedSlots(move.destination);
  const others = sortedSlots(move.source);
  return memslotCountsMatch(move) && slots.every((slot, i) => isSame(slot, others[i]));
}

export function memslotCountsMatch({ destination, source }: Move): boolean {
  return sortedSlots(destination).length === sortedSlots(source).length;
}

function sortedSlots(vm: Vm): MemorySlot[] {
  const slots = [...vm.slots.values()].filter((slot) => slot.addressSpace === 0);
  return slots.sort((a, b) => a.baseGfn - b.baseGfn);
}

function isSame(a: MemorySlot, b: MemorySlot | undefined): boolean {
  return (
    a.baseGfn === b?.baseGfn &&
    a.pages === b.pages &&
    a.flags === b.flags &&
    a.guestMemfd?.firstPage === b.guestMemfd?.firstPage &&
    a.guestMemfd?.memfd.inode === b.guestMemfd?.memfd.inode
  );
}

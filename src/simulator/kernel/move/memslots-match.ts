import type { MemorySlot } from '../objects.ts';
import type { Move } from './move.ts';

/**
 * Compares the slots of address space 0 in pairs, by guest address: they need the same place, size and
 * flags, and the same part of the same guest_memfd inode. userspace_addr and slot numbers do not count.
 */
export function memslotsMatch(move: Move): boolean {
  const slots = move.destination.slots.inOrder();
  const others = move.source.slots.inOrder();
  return memslotCountsMatch(move) && slots.every((slot, i) => isSame(slot, others[i]));
}

export function memslotCountsMatch({ destination, source }: Move): boolean {
  return destination.slots.inOrder().length === source.slots.inOrder().length;
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

import type { MoveRules } from '../../../abi/kvm/kernels/kernel-abi.ts';
import type { MemorySlot, Vm } from '../objects.ts';

/**
 * Slots of address space 0, pairwise by guest address: place, size, flags, and the same part of the
 * same guest_memfd inode. userspace_addr and slot numbers do not count.
 */
export function memslotsMatch(a: Vm, b: Vm, rule: MoveRules['memslots']): boolean {
  const slotsOfA = sortedSlots(a);
  const slotsOfB = sortedSlots(b);
  if (slotsOfA.length !== slotsOfB.length) return false;
  if (rule === 'counts must match') return true;
  return slotsOfA.every((slot, i) => {
    const other = slotsOfB[i];
    return other !== undefined && isSame(slot, other);
  });
}

function sortedSlots(vm: Vm): MemorySlot[] {
  const slots = [...vm.slots.values()].filter((slot) => slot.addressSpace === 0);
  return slots.sort((a, b) => a.baseGfn - b.baseGfn);
}

function isSame(a: MemorySlot, b: MemorySlot): boolean {
  return (
    a.baseGfn === b.baseGfn &&
    a.pages === b.pages &&
    a.flags === b.flags &&
    a.guestMemfd?.firstPage === b.guestMemfd?.firstPage &&
    a.guestMemfd?.memfd.inode === b.guestMemfd?.memfd.inode
  );
}

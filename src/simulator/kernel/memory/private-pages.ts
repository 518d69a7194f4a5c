/** Which guest pages are private, as kvm_mem_is_private() says it: by the VM or by the guest_memfd. */
import type { Range } from '../../range-map.ts';
import type { Kernel } from '../kernel.ts';
import type { MemorySlot, Vm } from '../objects.ts';
import { pagesOf } from './slot-table.ts';

type WithAbi = Pick<Kernel, 'abi'>;

export function isPrivatePage({ abi }: WithAbi, vm: Vm, gfn: number): boolean {
  if (abi.memory.attributesOf === 'the VM') return vm.privateRanges.has(gfn);
  const slot = vm.slots.at(gfn);
  const file = slot?.guestMemfd;
  // Where no open file lies behind the page, there is nothing that could be private.
  if (slot === undefined || file === undefined || file.memfd.closed) return false;
  return file.memfd.inode.privatePages.has(file.firstPage + gfn - slot.baseGfn);
}

export function countPrivatePages({ abi }: WithAbi, slot: MemorySlot): number {
  if (abi.memory.attributesOf === 'the VM') return slot.vm.privateRanges.countIn(pagesOf(slot));
  const { guestMemfd, pages } = slot;
  if (guestMemfd === undefined) return 0;
  const start = guestMemfd.firstPage;
  return guestMemfd.memfd.inode.privatePages.countIn({ start, end: start + pages });
}

/** The guest pages of a slot that lie in a range of its guest_memfd. They may be none. */
export function guestPagesOf({ baseGfn, pages, guestMemfd }: MemorySlot, range: Range): Range {
  const shift = baseGfn - (guestMemfd?.firstPage ?? 0);
  const start = Math.max(range.start + shift, baseGfn);
  return { start, end: Math.max(start, Math.min(range.end + shift, baseGfn + pages)) };
}

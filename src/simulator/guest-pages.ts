/**
 * The memory that a guest would have accepted. No guest runs here, so its pages are not kept one by
 * one; but what they cost to give back is most of a TD's teardown, and public. So a TD that
 * KVM_TDX_FINALIZE_VM has made runnable counts as one whose guest has accepted all of its private
 * memory, as the guests behind the published figures had.
 */
import type { Kernel } from './kernel/kernel.ts';
import { countPrivatePages } from './kernel/memory/private-pages.ts';
import { pagesOf } from './kernel/memory/slot-table.ts';
import type { GuestMemfd } from './kernel/objects.ts';
import { gfnsIn } from './kernel/tdx/secure-ept.ts';

/** Pages of the file that are private to such a guest, without those that the model keeps. */
export function acceptedPages(kernel: Pick<Kernel, 'abi'>, guestMemfd: GuestMemfd): number {
  const { vm } = guestMemfd;
  if (vm.td?.state !== 'RUNNABLE') return 0;
  let pages = 0;
  for (const slot of guestMemfd.bindings) {
    pages += countPrivatePages(kernel, slot);
    for (const _ of gfnsIn(vm.td.privatePages, pagesOf(slot))) pages--;
  }
  return Math.max(0, pages);
}

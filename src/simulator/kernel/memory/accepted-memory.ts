/**
 * What the memory that a guest accepts takes from the host. No guest runs page by page here, so that when a TD
 * first runs, its guest accepts all of its private memory: each page comes from a guest_memfd, with tables of the
 * secure EPT above it and its metadata where PAMT is dynamic.
 */
import { pamtPairPages, pamtRegionBytes } from '../../../abi/tdx/pamt.ts';
import { pageSize } from '../../module/addresses.ts';
import type { Range } from '../../range-map.ts';
import type { Kernel } from '../kernel.ts';
import type { GuestInode, MemorySlot, TdOfVm, Vm } from '../objects.ts';
import { countOf, dropUnplaced, missingPages, takePages } from './unplaced-pages.ts';

interface Share {
  readonly inode: GuestInode;
  readonly missing: readonly Range[];
  readonly gfns: readonly Range[];
}

/** Takes all of it, or nothing and returns false where there is no memory. */
export function acceptMemory(kernel: Kernel, vm: Vm): boolean {
  const { td } = vm;
  if (td === undefined || td.acceptedControlPages !== undefined) return true;
  const shares = sharesOf(kernel, vm);
  const guestPages = shares.reduce((sum, { missing }) => sum + countOf(missing), 0);
  const ranges = shares.flatMap(({ gfns }) => gfns);
  const tables = Math.max(0, tablesAbove(ranges, td) - td.septTables.size);
  const controlPages = tables + pamtPages(kernel, guestPages + tables);
  if (!kernel.pages.takeUnplaced(controlPages)) return false;
  for (const [index, { inode, missing }] of shares.entries()) {
    if (takePages(kernel, inode, missing)) continue;
    for (const taken of shares.slice(0, index)) {
      for (const range of taken.missing) dropUnplaced(kernel, taken.inode, range);
    }
    kernel.pages.releaseUnplaced(controlPages);
    return false;
  }
  td.acceptedControlPages = controlPages;
  return true;
}

/** The module has given the tables back. */
export function forgetAccepted({ pages }: Kernel, td: TdOfVm): void {
  pages.releaseUnplaced(td.acceptedControlPages ?? 0);
  td.acceptedControlPages = undefined;
}

/** A file may back slots of another VM too, whose guest is not the one that runs. */
function sharesOf(kernel: Kernel, vm: Vm): Share[] {
  return vm.slots.inOrder().flatMap((slot) => {
    const { baseGfn, guestMemfd } = slot;
    if (guestMemfd === undefined || guestMemfd.memfd.closed) return [];
    const { inode } = guestMemfd.memfd;
    const shift = baseGfn - guestMemfd.firstPage;
    const inFile = privateInFile(kernel, inode, slot);
    const gfns = inFile.map(({ start, end }) => ({ start: start + shift, end: end + shift }));
    return [{ inode, missing: missingPages(inode, inFile), gfns }];
  });
}

function privateInFile({ abi }: Kernel, inode: GuestInode, slot: MemorySlot): Range[] {
  const { vm, baseGfn, pages, guestMemfd } = slot;
  const firstPage = guestMemfd?.firstPage ?? 0;
  if (abi.memory.attributesOf !== 'the VM') {
    return inode.privatePages.within({ start: firstPage, end: firstPage + pages });
  }
  const shift = firstPage - baseGfn;
  return vm.privateRanges
    .within({ start: baseGfn, end: baseGfn + pages })
    .map(({ start, end }) => ({ start: start + shift, end: end + shift }));
}

/** There is one for each 2 MiB, 1 GiB and so on in which a page lies; the root is a part of the TDCS. */
function tablesAbove(ranges: readonly Range[], { sharedBit }: TdOfVm): number {
  let count = 0;
  for (let level = sharedBit === 51 ? 4 : 3; level >= 1; level--) {
    const covered = 512 ** level;
    const inOrder = [...ranges].sort((a, b) => a.start - b.start);
    let next = 0;
    for (const { start, end } of inOrder) {
      const first = Math.max(next, Math.floor(start / covered));
      const after = Math.floor((end - 1) / covered) + 1;
      count += Math.max(0, after - first);
      next = Math.max(next, after);
    }
  }
  return count;
}

/** Pairs for memory that fills its regions, as the memory of a large guest does. */
function pamtPages({ pamt }: Kernel, pages: number): number {
  if (pamt === undefined) return 0;
  return Math.ceil((pages * pageSize) / pamtRegionBytes) * pamtPairPages;
}

/**
 * Pages of a guest_memfd: kvm_gmem_get_folio() takes each from the host's memory and charges it to the memory
 * cgroup. Many at once are only counted, and get an address when somebody looks at one.
 */
import type { Hpa } from '../../module/addresses.ts';
import type { Range } from '../../range-map.ts';
import type { Kernel } from '../kernel.ts';
import type { GuestInode } from '../objects.ts';

/** The address of a page that the file has, or takes now. Undefined: there is no memory. */
export function newPage(kernel: Kernel, inode: GuestInode, index: number): Hpa | undefined {
  const { pages, memoryCgroup } = kernel;
  if (inode.unplaced.has(index)) {
    inode.unplaced.remove({ start: index, end: index + 1 });
    pages.releaseUnplaced(1);
    return pages.allocate();
  }
  if (!memoryCgroup.tryCharge(inode.cgroup, 1)) return undefined;
  const page = pages.allocate();
  if (page === undefined) memoryCgroup.uncharge(inode.cgroup, 1);
  return page;
}

/** Gives those of the ranges that the file does not have yet. */
export function missingPages(inode: GuestInode, ranges: readonly Range[]): Range[] {
  return ranges
    .flatMap((range) => without(range, placedWithin(inode, range)))
    .flatMap((range) => without(range, inode.unplaced.within(range)));
}

/** Takes them all, or none and returns false where there is no memory. */
export function takePages(kernel: Kernel, inode: GuestInode, missing: readonly Range[]): boolean {
  const { pages, memoryCgroup } = kernel;
  const count = countOf(missing);
  if (!memoryCgroup.tryCharge(inode.cgroup, count)) return false;
  if (!pages.takeUnplaced(count)) {
    memoryCgroup.uncharge(inode.cgroup, count);
    return false;
  }
  for (const range of missing) inode.unplaced.add(range);
  return true;
}

export function dropUnplaced(kernel: Kernel, inode: GuestInode, range: Range): void {
  const count = inode.unplaced.countIn(range);
  inode.unplaced.remove(range);
  kernel.pages.releaseUnplaced(count);
  kernel.memoryCgroup.uncharge(inode.cgroup, count);
}

export function countOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function placedWithin({ pages }: GuestInode, { start, end }: Range): Range[] {
  const placed = [...pages.keys()].filter((index) => index >= start && index < end);
  return placed.sort((a, b) => a - b).map((index) => ({ start: index, end: index + 1 }));
}

function without({ start, end }: Range, holes: readonly Range[]): Range[] {
  let at = start;
  const left: Range[] = [];
  for (const hole of holes) {
    if (hole.start > at) left.push({ start: at, end: hole.start });
    at = hole.end;
  }
  if (at < end) left.push({ start: at, end });
  return left;
}

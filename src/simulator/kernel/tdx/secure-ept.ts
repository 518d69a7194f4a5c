/** This is KVM's side of the secure EPT: what it adds and takes away, leaf by leaf. */
import { makesCheck } from '../../../abi/kvm/kernels/record.ts';
import { isStatus, isStatusError, statusCodes } from '../../../abi/tdx/status.ts';
import { type Hpa, pageSize } from '../../module/addresses.ts';
import type { Range } from '../../range-map.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import { leakPage } from '../memory/control-pages.ts';
import type { PrivatePage, TdOfVcpu, TdOfVm, Vm } from '../objects.ts';
import { bugVm } from '../vm/vm.ts';
import type { TdContext } from './context.ts';

const success = statusCodes.TDX_SUCCESS;

/** Pages are mapped by a vCPU. */
export interface MappingContext extends TdContext {
  readonly tdVcpu: TdOfVcpu;
}

export interface PageToAdd extends PrivatePage {
  readonly gfn: number;
}

/** The reason why a page could not be added. The request decides which answer that becomes. */
export type PageFailure = 'no table' | 'busy' | 'interrupted' | 'refused' | 'pamt refused';

/**
 * Makes the tables above a page, then adds the page with its content. A page that is in the tables and
 * not yet added counts as premapped.
 */
export function addPrivatePage(
  context: MappingContext,
  page: PageToAdd,
  content: Uint8Array,
  signalled: () => boolean,
): PageFailure | undefined {
  const { tdx, td } = context;
  const tables = addTables(context, page.gfn, signalled);
  const { tdr } = td;
  if (tables !== undefined || tdr === undefined) return tables ?? 'refused';
  td.premapped.add(page.gfn);
  const operands = { rcx: page.gfn * pageSize, rdx: tdr, r8: page.hpa, r9: content };
  const error = withMetadata(context, page.hpa, () =>
    untilNotBusy(context, signalled, () => tdx.module.seamcall('TDH.MEM.PAGE.ADD', operands)),
  );
  if (error !== undefined) return error;
  td.premapped.delete(page.gfn);
  td.privatePages.set(page.gfn, page);
  return undefined;
}

/** Gives a running TD a page of zeros, which its guest has still to accept. */
export function augmentPrivatePage(
  context: MappingContext,
  page: PageToAdd,
): PageFailure | undefined {
  const { tdx, td } = context;
  const never = () => false;
  const tables = addTables(context, page.gfn, never);
  const { tdr } = td;
  if (tables !== undefined || tdr === undefined) return tables ?? 'refused';
  const operands = { rcx: page.gfn * pageSize, rdx: tdr, r8: page.hpa };
  const error = withMetadata(context, page.hpa, () =>
    untilNotBusy(context, never, () => tdx.module.seamcall('TDH.MEM.PAGE.AUG', operands)),
  );
  if (error === undefined) td.privatePages.set(page.gfn, page);
  return error;
}

/** The metadata of the page is there while the module has it, and goes where the module does not take it. */
function withMetadata(
  { kernel: { pamt }, tdVcpu }: MappingContext,
  page: Hpa,
  give: () => PageFailure | undefined,
): PageFailure | undefined {
  const failure = pamt?.get(page, tdVcpu.pamtCache);
  if (failure !== undefined) return failure === 'refused' ? 'pamt refused' : 'no table';
  const error = give();
  if (error !== undefined) pamt?.put(page);
  return error;
}

function addTables(
  context: MappingContext,
  gfn: number,
  signalled: () => boolean,
): PageFailure | undefined {
  const { kernel, tdx, td } = context;
  const { tdr } = td;
  if (tdr === undefined) return 'refused';
  for (let level = td.sharedBit === 51 ? 4 : 3; level >= 1; level--) {
    const key = septTableKey(gfn, level);
    if (td.septTables.has(key)) continue;
    const table = kernel.pages.allocate();
    if (table === undefined) return 'no table';
    const rcx = septGpa(gfn, level) + level;
    const error = withMetadata(context, table, () =>
      untilNotBusy(context, signalled, () =>
        tdx.module.seamcall('TDH.MEM.SEPT.ADD', { rcx, rdx: tdr, r8: table }),
      ),
    );
    if (error !== undefined) {
      kernel.pages.free(table);
      return error;
    }
    td.septTables.set(key, table);
  }
  return undefined;
}

/**
 * The kernel tries a busy operand again until a signal comes. A fault may keep it busy for ever, so the
 * caller gets its signal after so many tries.
 */
export const mostTries = 1000;

/**
 * A leaf with a busy operand is tried again inside the kernel until a signal comes, or left to the
 * caller.
 */
function untilNotBusy(
  { kernel, vm }: TdContext,
  signalled: () => boolean,
  leaf: () => bigint,
): PageFailure | undefined {
  const givesUp = makesCheck(kernel.abi, 'KVM_TDX_INIT_MEM_REGION', 'init-mem-region.busy');
  let status = leaf();
  for (let tries = 1; isStatus(status, 'TDX_OPERAND_BUSY'); tries++) {
    if (givesUp) return 'busy';
    if (tries > mostTries || signalled()) return 'interrupted';
    status = leaf();
  }
  if (status === success) return undefined;
  bugVm(vm);
  return 'refused';
}

/** Takes the private pages of a range out of the S-EPT, while they stay in their guest_memfd. */
export function zapPrivatePages(kernel: Kernel, vm: Vm, range: Range): void {
  const { td } = vm;
  if (td === undefined || kernel.tdx === undefined) return;
  for (const gfn of gfnsIn(td.premapped, range)) td.premapped.delete(gfn);
  for (const gfn of gfnsIn(td.privatePages, range)) {
    const page = td.privatePages.get(gfn);
    if (page === undefined) continue;
    td.privatePages.delete(gfn);
    const removed =
      td.key === undefined ? reclaimPage(kernel.tdx, page) : removePage(kernel.tdx, td, gfn, page);
    if (!removed) losePage(kernel, vm, page);
    else givenBack(kernel, page);
  }
}

/**
 * Gives the guest pages of a range that are there, in the order of their addresses, as KVM walks its page
 * tables: by looking at each that is there, or at each of the range, whichever are fewer. The caller may
 * take out those that it has got.
 */
export function* gfnsIn(
  pages: ReadonlySet<number> | ReadonlyMap<number, unknown>,
  { start, end }: Range,
): Iterable<number> {
  if (end - start < pages.size) {
    for (let gfn = start; gfn < end; gfn++) if (pages.has(gfn)) yield gfn;
    return;
  }
  const there = [...pages.keys()].filter((gfn) => gfn >= start && gfn < end);
  yield* there.sort((one, other) => one - other);
}

/**
 * Where the key ID is assigned, each 4 KiB page takes BLOCK, TRACK, REMOVE and WBINVD. No vCPU has run before the
 * TD is finalised, so that no TLB has to be flushed, and TRACK is left out.
 */
function removePage({ module }: TdxSupport, td: TdOfVm, gfn: number, page: PrivatePage): boolean {
  const { tdr } = td;
  if (tdr === undefined) return false;
  const rcx = gfn * pageSize;
  return (
    kickedOnce(() => module.seamcall('TDH.MEM.RANGE.BLOCK', { rcx, rdx: tdr })) === success &&
    (td.state !== 'RUNNABLE' ||
      kickedOnce(() => module.seamcall('TDH.MEM.TRACK', { rcx: tdr })) === success) &&
    kickedOnce(() => module.seamcall('TDH.MEM.PAGE.REMOVE', { rcx, rdx: tdr })) === success &&
    module.seamcall('TDH.PHYMEM.PAGE.WBINVD', { rcx: page.hpa }) === success
  );
}

/**
 * An operand is busy because a vCPU is in the module, so KVM kicks all vCPUs out and tries once more.
 */
function kickedOnce(leaf: () => bigint): bigint {
  const status = leaf();
  return isStatus(status, 'TDX_OPERAND_BUSY') ? leaf() : status;
}

/** After KVM_TDX_TERMINATE_VM the module gives the page back without its secure EPT. */
function reclaimPage({ module }: TdxSupport, page: PrivatePage): boolean {
  return !isStatusError(module.seamcall('TDH.PHYMEM.PAGE.RECLAIM', { rcx: page.hpa }));
}

/** A page that the module keeps is lost to its guest_memfd. */
function losePage(kernel: Kernel, vm: Vm, page: PrivatePage): void {
  bugVm(vm);
  forgetPage(page);
  leakPage(kernel, page.hpa);
}

/** If the file of the page is closed already, nobody else frees the page. */
function givenBack(kernel: Kernel, page: PrivatePage): void {
  kernel.pamt?.put(page.hpa);
  if (page.inode.files > 0) return;
  forgetPage(page);
  kernel.memoryCgroup.uncharge(page.inode.cgroup, 1);
  kernel.pages.free(page.hpa);
}

export function forgetPage({ inode, index }: PrivatePage): void {
  inode.pages.delete(index);
}

/** Gives the first address that an S-EPT entry of `level` covers. */
function septGpa(gfn: number, level: number): number {
  const covered = 512 ** level;
  return Math.floor(gfn / covered) * covered * pageSize;
}

/** One number identifies a table: it combines the table's level and the entry that points to it. */
function septTableKey(gfn: number, level: number): number {
  return level * 2 ** 40 + Math.floor(gfn / 512 ** level);
}

/** KVM's side of the secure EPT: what it adds and takes away, leaf by leaf (kernel-abi 2.12, 2.15). */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import { isStatus, isStatusError, statusCodes } from '../../../abi/tdx/status.ts';
import { type Hpa, pageSize } from '../../module/states.ts';
import type { GuestMemfd } from '../guest-memfd.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import { bugVm, type PrivatePage, type TdOfVm, type Vm } from '../vm.ts';
import type { TdContext } from './vm-command.ts';

const success = statusCodes.TDX_SUCCESS;

export interface PageToAdd {
  readonly gfn: number;
  readonly hpa: Hpa;
  readonly guestMemfd: GuestMemfd;
}

/**
 * Makes the tables above a page, then adds it with its content. A busy operand is tried again until
 * a signal comes, so EBUSY is never seen outside.
 */
export function addPrivatePage(
  context: TdContext,
  page: PageToAdd,
  content: Uint8Array,
  signalled: () => boolean,
): ErrnoName | undefined {
  const { kernel, tdx, vm, td } = context;
  const tdr = td.tdr;
  if (tdr === undefined) return 'EIO';
  for (let level = td.sharedBit === 51 ? 4 : 3; level >= 1; level--) {
    const key = septTableKey(page.gfn, level);
    if (td.septTables.has(key)) continue;
    const table = kernel.pages.allocate();
    if (table === undefined) return 'ENOMEM';
    const rcx = septGpa(page.gfn, level) + level;
    const error = retryWhileBusy(vm, signalled, () =>
      tdx.module.seamcall('TDH.MEM.SEPT.ADD', { rcx, rdx: tdr, r8: table }),
    );
    if (error !== undefined) {
      kernel.pages.free(table);
      return error;
    }
    td.septTables.set(key, table);
  }
  const operands = { rcx: page.gfn * pageSize, rdx: tdr, r8: page.hpa, r9: content };
  const error = retryWhileBusy(vm, signalled, () =>
    tdx.module.seamcall('TDH.MEM.PAGE.ADD', operands),
  );
  if (error === undefined) {
    td.privatePages.set(page.gfn, { hpa: page.hpa, guestMemfd: page.guestMemfd });
  }
  return error;
}

function retryWhileBusy(
  vm: Vm,
  signalled: () => boolean,
  leaf: () => bigint,
): ErrnoName | undefined {
  let status = leaf();
  while (isStatus(status, 'TDX_OPERAND_BUSY')) {
    if (signalled()) return 'EINTR';
    status = leaf();
  }
  if (status === success) return undefined;
  bugVm(vm);
  return 'EIO';
}

/** Takes the private pages of a range out of the S-EPT; they stay in their guest_memfd. */
export function zapPrivatePages(kernel: Kernel, vm: Vm, startGfn: number, endGfn: number): void {
  const { td } = vm;
  if (td === undefined || kernel.tdx === undefined || td.privatePages.size === 0) return;
  for (const [gfn, page] of td.privatePages) {
    if (gfn < startGfn || gfn >= endGfn) continue;
    td.privatePages.delete(gfn);
    const removed =
      td.key === undefined ? reclaimPage(kernel.tdx, page) : removePage(kernel.tdx, td, gfn, page);
    if (!removed) leakPage(kernel, vm, page);
  }
}

/** With the key ID assigned: BLOCK, TRACK, REMOVE, WBINVD for each 4 KiB. */
function removePage({ module }: TdxSupport, td: TdOfVm, gfn: number, page: PrivatePage): boolean {
  const { tdr } = td;
  if (tdr === undefined) return false;
  const rcx = gfn * pageSize;
  return (
    kickedOnce(() => module.seamcall('TDH.MEM.RANGE.BLOCK', { rcx, rdx: tdr })) === success &&
    kickedOnce(() => module.seamcall('TDH.MEM.TRACK', { rcx: tdr })) === success &&
    kickedOnce(() => module.seamcall('TDH.MEM.PAGE.REMOVE', { rcx, rdx: tdr })) === success &&
    module.seamcall('TDH.PHYMEM.PAGE.WBINVD', { rcx: page.hpa }) === success
  );
}

/** A busy operand is a vCPU in the module: KVM kicks them all out and tries once more. */
function kickedOnce(leaf: () => bigint): bigint {
  const status = leaf();
  return isStatus(status, 'TDX_OPERAND_BUSY') ? leaf() : status;
}

/** After KVM_TDX_TERMINATE_VM: the module gives the page back without its secure EPT. */
function reclaimPage({ module }: TdxSupport, page: PrivatePage): boolean {
  return !isStatusError(module.seamcall('TDH.PHYMEM.PAGE.RECLAIM', { rcx: page.hpa }));
}

/** A page that the module keeps must never be used again, so its guest_memfd loses it. */
function leakPage(kernel: Kernel, vm: Vm, page: PrivatePage): void {
  bugVm(vm);
  for (const [index, hpa] of page.guestMemfd.pages) {
    if (hpa === page.hpa) page.guestMemfd.pages.delete(index);
  }
  kernel.pages.leak();
}

/** First address that an S-EPT entry of `level` covers. */
function septGpa(gfn: number, level: number): number {
  const covered = 512 ** level;
  return Math.floor(gfn / covered) * covered * pageSize;
}

/** One number for a table: its level and the entry that points to it. */
function septTableKey(gfn: number, level: number): number {
  return level * 2 ** 40 + Math.floor(gfn / 512 ** level);
}

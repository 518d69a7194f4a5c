/** The last put of a VM is kvm_destroy_vm(): it frees the VM's key ID before its pages. */

import { isStatusError } from '../../../abi/tdx/status.ts';
import type { Hpa } from '../../module/addresses.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import { forgetAccepted } from '../memory/accepted-memory.ts';
import { freeControlPage, leakPage } from '../memory/control-pages.ts';
import type { TdOfVm, Vm } from '../objects.ts';
import { releaseKeyId } from '../tdx/release-key-id.ts';
import { forgetPage, zapPrivatePages } from '../tdx/secure-ept.ts';

/** The last close of the VM's own fd gives up its irqfds at once, whoever else holds the VM. */
export function releaseVmFile(kernel: Kernel, vm: Vm): void {
  vm.irqfds = [];
  putVm(kernel, vm);
}

export function putVm(kernel: Kernel, vm: Vm): void {
  vm.references--;
  if (vm.references === 0) destroyVm(kernel, vm);
}

function destroyVm(kernel: Kernel, vm: Vm): void {
  if (vm.td !== undefined && kernel.tdx !== undefined) destroyTd(kernel, kernel.tdx, vm, vm.td);
  vm.slots.clear();
  kernel.vms.delete(vm);
}

function destroyTd(kernel: Kernel, tdx: TdxSupport, vm: Vm, td: TdOfVm): void {
  for (const { td: vcpu } of vm.vcpus) {
    for (const page of vcpu?.pamtCache.splice(0) ?? []) kernel.pages.free(page);
  }
  // The kernel does this in vm_pre_destroy.
  releaseKeyId(kernel, tdx, vm);
  if (td.key !== undefined) {
    leakTd(kernel, vm, td);
    return;
  }
  // This is private memory in a file that outlives the VM.
  zapPrivatePages(kernel, vm, { start: 0, end: Number.POSITIVE_INFINITY });
  // The kernel does this in vcpu_free.
  for (const { td: vcpu } of vm.vcpus) {
    for (const page of vcpu?.tdcx ?? []) reclaim(kernel, tdx, page);
    if (vcpu?.tdvpr !== undefined) reclaim(kernel, tdx, vcpu.tdvpr);
  }
  // These pages are the mirror page tables.
  for (const page of td.septTables.values()) reclaim(kernel, tdx, page);
  forgetAccepted(kernel, td);
  // The kernel does this in vm_destroy.
  reclaimTd(kernel, tdx, td);
  td.state = 'UNINITIALIZED';
}

/**
 * Frees the TDCS pages and then the TDR, which the module gives back last. The module gives back
 * nothing while the key is assigned.
 */
export function reclaimTd(kernel: Kernel, tdx: TdxSupport, td: TdOfVm): void {
  if (td.key !== undefined || td.tdr === undefined) return;
  for (const page of td.tdcs) reclaim(kernel, tdx, page);
  td.tdcs.length = 0;
  const { tdr } = td;
  reclaim(kernel, tdx, tdr, () => {
    tdx.module.seamcall('TDH.PHYMEM.PAGE.WBINVD', { rcx: tdr });
  });
  td.tdr = undefined;
}

/** The key ID could not be freed, so it is lost until the machine restarts, and every page with it. */
export function leakTd(kernel: Kernel, vm: Vm, td: TdOfVm): void {
  if (td.key === undefined) return;
  kernel.leakedKeyIds.add(td.key.hkid);
  const lost = [td.tdr, ...td.tdcs, ...td.septTables.values()];
  for (const { hpa } of td.privatePages.values()) lost.push(hpa);
  for (const { td: vcpu } of vm.vcpus) {
    if (vcpu?.tdvpr === undefined) continue;
    lost.push(vcpu.tdvpr, ...vcpu.tdcx);
    vcpu.tdvpr = undefined;
    vcpu.state = 'UNINITIALIZED';
    vcpu.tdcx = [];
  }
  for (const page of td.privatePages.values()) forgetPage(page);
  for (const page of lost) if (page !== undefined) leakPage(kernel, page);
  td.key = undefined;
  td.tdr = undefined;
  td.tdcs = [];
  td.premapped.clear();
  td.septTables.clear();
  forgetAccepted(kernel, td);
  td.privatePages.clear();
}

/** Frees a page that the module gives back, once that is done which must come before; or leaks it. */
function reclaim(kernel: Kernel, tdx: TdxSupport, page: Hpa, before = () => {}): void {
  if (isStatusError(tdx.module.seamcall('TDH.PHYMEM.PAGE.RECLAIM', { rcx: page }))) {
    leakPage(kernel, page);
    return;
  }
  before();
  freeControlPage(kernel, page);
}

/** The last put of a VM (kernel-abi 2.15): its key ID is free before its pages are. */

import { isStatusError } from '../../abi/tdx/status.ts';
import type { Hpa } from '../module/states.ts';
import type { Kernel, TdxSupport } from './kernel.ts';
import { releaseKeyId } from './tdx/release-key-id.ts';
import type { TdOfVm, Vm } from './vm.ts';

export function putVm(kernel: Kernel, vm: Vm): void {
  vm.references--;
  if (vm.references === 0) destroyVm(kernel, vm);
}

function destroyVm(kernel: Kernel, vm: Vm): void {
  if (vm.td !== undefined && kernel.tdx !== undefined) {
    // vm_pre_destroy
    releaseKeyId(kernel, kernel.tdx, vm);
    // vcpu_free
    for (const vcpu of vm.vcpus) {
      if (vcpu.td === undefined) continue;
      for (const page of vcpu.td.tdcx) reclaim(kernel, kernel.tdx, vm.td, page);
      vcpu.td.tdcx.length = 0;
      if (vcpu.td.tdvpr !== undefined) reclaim(kernel, kernel.tdx, vm.td, vcpu.td.tdvpr);
      vcpu.td.tdvpr = undefined;
    }
    // the mirror page tables
    for (const page of vm.td.septTables.values()) reclaim(kernel, kernel.tdx, vm.td, page);
    vm.td.septTables.clear();
    // vm_destroy
    reclaimTd(kernel, kernel.tdx, vm.td);
    vm.td.state = 'UNINITIALIZED';
  }
  vm.slots.clear();
  kernel.vms.delete(vm);
}

/** TDCS pages, then the TDR: the module gives that one back last. */
export function reclaimTd(kernel: Kernel, tdx: TdxSupport, td: TdOfVm): void {
  for (const page of td.tdcs) reclaim(kernel, tdx, td, page);
  td.tdcs.length = 0;
  if (td.tdr === undefined) return;
  if (reclaim(kernel, tdx, td, td.tdr)) {
    tdx.module.seamcall('TDH.PHYMEM.PAGE.WBINVD', { rcx: td.tdr });
  }
  td.tdr = undefined;
}

/** False: the page is leaked, because the key ID is or because the module refused. */
function reclaim(kernel: Kernel, tdx: TdxSupport, td: TdOfVm, page: Hpa): boolean {
  // With its key ID still assigned the module would refuse every page of the TD.
  const refused =
    td.key !== undefined ||
    isStatusError(tdx.module.seamcall('TDH.PHYMEM.PAGE.RECLAIM', { rcx: page }));
  if (refused) kernel.pages.leak();
  else kernel.pages.free(page);
  return !refused;
}

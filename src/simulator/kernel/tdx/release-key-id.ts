/**
 * tdx_mmu_release_hkid() in arch/x86/kvm/vmx/tdx.c gives the TD's key ID back. Where it cannot, the key
 * stays with the VM: the VM's last put tries again, and if that fails too the key is leaked.
 */
import { isStatus, isStatusError, statusCodes } from '../../../abi/tdx/status.ts';
import type { Kernel, TdxSupport } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { firstOnlineCpu, packagesOf } from '../packages.ts';
import { bugVm } from '../vm/vm.ts';

const maxResumes = 10_000;

export function releaseKeyId(kernel: Kernel, tdx: TdxSupport, vm: Vm): void {
  const td = vm.td;
  if (td?.key === undefined || td.tdr === undefined) return;
  flushVcpusOf(tdx, vm);

  const flushed = tdx.module.seamcall('TDH.MNG.VPFLUSHDONE', { rcx: td.tdr });
  if (flushed !== statusCodes.TDX_SUCCESS) {
    // KVM stays silent where a vCPU is still associated, but any other refusal bugs the VM as well.
    if (!isStatus(flushed, 'TDX_FLUSHVP_NOT_DONE')) bugVm(vm);
    return;
  }
  for (const package_ of packagesOf(kernel.profile.platform)) {
    writeBackCaches(tdx, vm, firstOnlineCpu(kernel.profile.platform, package_) ?? 0);
  }
  if (tdx.module.seamcall('TDH.MNG.KEY.FREEID', { rcx: td.tdr }) !== statusCodes.TDX_SUCCESS) {
    bugVm(vm);
    return;
  }
  freeKeyId(kernel, td.key.hkid, td.key.cgroup);
  td.key = undefined;
}

/** tdx_hkid_free() returns the key to the pool, and uncharges the cgroup that was charged. */
export function freeKeyId(kernel: Kernel, hkid: number, cgroup: string | undefined): void {
  kernel.keyIds.free(hkid);
  if (cgroup !== undefined) kernel.cgroup.uncharge(cgroup);
}

/** Flushes each vCPU with TDH.VP.FLUSH on the logical CPU that it is associated with. */
export function flushVcpusOf(tdx: TdxSupport, vm: Vm): void {
  for (const { td: vcpu } of vm.vcpus) {
    if (vcpu?.tdvpr === undefined || vcpu.logicalCpu === undefined) continue;
    const status = tdx.module.seamcall('TDH.VP.FLUSH', { rcx: vcpu.tdvpr }, vcpu.logicalCpu);
    if (status === statusCodes.TDX_SUCCESS) vcpu.logicalCpu = undefined;
    else if (!isStatus(status, 'TDX_VCPU_NOT_ASSOCIATED')) bugVm(vm);
  }
}

/** Writes the caches back on one CPU of a package, and resumes for as long as that is interrupted. */
function writeBackCaches(tdx: TdxSupport, vm: Vm, logicalCpu: number): void {
  let status = tdx.module.seamcall('TDH.PHYMEM.CACHE.WB', { rcx: 0 }, logicalCpu);
  for (let i = 0; i < maxResumes && isStatus(status, 'TDX_INTERRUPTED_RESUMABLE'); i++) {
    status = tdx.module.seamcall('TDH.PHYMEM.CACHE.WB', { rcx: 1 }, logicalCpu);
  }
  // TDX_NO_HKID_READY_TO_WBCACHE only informs KVM that another TD's teardown has done this package.
  if (isStatusError(status)) bugVm(vm);
}

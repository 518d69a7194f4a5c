/**
 * __tdx_td_init: takes a key ID and makes the TD in the module (kernel-abi 2.6 step 15, here with the
 * step numbers of 7.1). Each function answers what refused, or undefined; what it took by then is
 * given back.
 */
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { TdParams } from '../../../abi/tdx/td-params.ts';
import type { Hpa } from '../../module/addresses.ts';
import { type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { AssignedKey } from '../objects.ts';
import { firstOnlineCpu, packagesOf } from '../packages.ts';
import { leakTd, reclaimTd } from '../vm/teardown.ts';
import { bugVm } from '../vm/vm.ts';
import type { TdContext } from './context.ts';
import { freeKeyId, releaseKeyId } from './release-key-id.ts';

const success = statusCodes.TDX_SUCCESS;

/** Pages that the host has set aside for a TD. */
interface TdPages {
  readonly tdr: Hpa;
  readonly tdcs: readonly Hpa[];
}

/** 20 to 27: a key ID, and a TD in the module that has its keys and its TDCS. */
export function buildTd(context: TdContext, cgroup: string): Refusal | undefined {
  // 20, 21
  const key = takeKeyId(context, cgroup);
  if ('ok' in key) return key;
  // 22
  const pages = allocatePages(context);
  if ('ok' in pages) {
    freeKeyId(context.kernel, key.hkid, key.cgroup);
    return pages;
  }
  // 23 to 25: until the module knows the TD, key and pages are still the kernel's to free
  const refused = createTd(context, key, pages);
  if (refused !== undefined) {
    for (const page of [pages.tdr, ...pages.tdcs]) context.kernel.pages.free(page);
    freeKeyId(context.kernel, key.hkid, key.cgroup);
    return refused;
  }
  context.td.key = key;
  context.td.tdr = pages.tdr;
  // 26, 27: after that they come back through it
  return configureKeys(context, pages) ?? addTdcsPages(context, pages);
}

/**
 * 28, 29: TDH.MNG.INIT, the one refusal whose status user space gets to see. What this call has
 * built is torn down then; what KVM_CREATE_VM has built stays, and may be tried again.
 */
export function initTd(context: TdContext, params: TdParams): Refusal | undefined {
  const { kernel, tdx, vm, td } = context;
  if (td.tdr === undefined) return refuse('EINVAL');
  const status = tdx.module.seamcall('TDH.MNG.INIT', { rcx: td.tdr, rdx: params });
  if (status === success) return undefined;
  const isOperand = isStatus(status, 'TDX_OPERAND_INVALID');
  if (!isOperand) bugVm(vm);
  const refusal = isOperand ? refuse('EINVAL', status) : refuse('EIO');
  return kernel.abi.keyId.takenAt === 'KVM_CREATE_VM' ? refusal : tornDown(context, [], refusal);
}

function takeKeyId({ kernel, vm, td }: TdContext, cgroup: string): AssignedKey | Refusal {
  const hkid = kernel.keyIds.allocate();
  if (hkid === undefined) return refuse(kernel.abi.keyId.poolEmpty);
  // A key that an earlier attempt could not free is overwritten here, and so lost.
  leakTd(kernel, vm, td);
  const charged = kernel.cgroup.tryCharge(cgroup);
  if (charged === 'ok') return { hkid, cgroup };
  kernel.keyIds.free(hkid);
  if (kernel.abi.quirks.unchargesFailedCharge) kernel.cgroup.uncharge(cgroup);
  return refuse(charged);
}

function allocatePages({ kernel, tdx }: TdContext): TdPages | Refusal {
  const fault = faultAt(kernel, 'KVM_TDX_INIT_VM: allocate TDR and TDCS');
  if (fault !== undefined) return fault;
  const pages = kernel.pages.allocateMany(1 + tdx.module.release.tdcxPages.base);
  const [tdr, ...tdcs] = pages ?? [];
  return tdr === undefined ? refuse('ENOMEM') : { tdr, tdcs };
}

function createTd(
  { kernel, tdx, vm }: TdContext,
  { hkid }: AssignedKey,
  { tdr }: TdPages,
): Refusal | undefined {
  if (onlineCpuOfEachPackage(kernel) === undefined) return refuse('EIO');
  const status = tdx.module.seamcall('TDH.MNG.CREATE', { rcx: tdr, rdx: hkid });
  if (status === success) return undefined;
  if (isStatus(status, 'TDX_RND_NO_ENTROPY')) return refuse('EAGAIN');
  if (kernel.abi.initVm.mngCreateRefused === 'bugs the VM') bugVm(vm);
  return refuse('EIO');
}

function configureKeys(context: TdContext, pages: TdPages): Refusal | undefined {
  for (const cpu of onlineCpuOfEachPackage(context.kernel) ?? []) {
    const status = context.tdx.module.seamcall('TDH.MNG.KEY.CONFIG', { rcx: pages.tdr }, cpu);
    if (status !== success) return bugged(context, pages);
  }
  return undefined;
}

function addTdcsPages(context: TdContext, pages: TdPages): Refusal | undefined {
  for (const page of pages.tdcs) {
    const status = context.tdx.module.seamcall('TDH.MNG.ADDCX', { rcx: page, rdx: pages.tdr });
    if (isStatus(status, 'TDX_RND_NO_ENTROPY')) {
      return tornDown(context, unusedOf(context, pages), refuse('EAGAIN'));
    }
    if (status !== success) return bugged(context, pages);
    context.td.tdcs.push(page);
  }
  return undefined;
}

function bugged(context: TdContext, pages: TdPages): Refusal {
  bugVm(context.vm);
  return tornDown(context, unusedOf(context, pages), refuse('EIO'));
}

/** Pages that TDH.MNG.ADDCX has not taken. */
function unusedOf({ td }: TdContext, pages: TdPages): readonly Hpa[] {
  return pages.tdcs.slice(td.tdcs.length);
}

function tornDown(
  { kernel, tdx, vm, td }: TdContext,
  unused: readonly Hpa[],
  refusal: Refusal,
): Refusal {
  for (const page of unused) kernel.pages.free(page);
  releaseKeyId(kernel, tdx, vm);
  reclaimTd(kernel, tdx, td);
  return refusal;
}

/** undefined: a package with present CPUs has none online. */
function onlineCpuOfEachPackage({ profile: { platform } }: Kernel): number[] | undefined {
  const cpus: number[] = [];
  for (const package_ of packagesOf(platform)) {
    const cpu = firstOnlineCpu(platform, package_);
    if (cpu === undefined) return undefined;
    cpus.push(cpu);
  }
  return cpus;
}

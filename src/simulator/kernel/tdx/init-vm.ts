/**
 * KVM_TDX_INIT_VM (kernel-abi 2.6 and 7.1): takes the key ID and builds the TD. Every failure gives
 * back what it took and leaves the TD uninitialised, so it may be tried again unless the VM was
 * bugged. Numbers in comments are the steps of 7.1.
 */
import { KVM_MAX_CPUID_ENTRIES } from '../../../abi/kvm/structs.ts';
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import { configFlags, type TdParams } from '../../../abi/tdx/td-params.ts';
import type {
  Answer,
  Caller,
  InitVmStruct,
  TdxCommandStruct,
  UserInitVm,
} from '../../interface.ts';
import { tdFields } from '../../module/metadata-fields.ts';
import type { Hpa } from '../../module/states.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import { firstOnlineCpu, packagesOf } from '../packages.ts';
import { leakTd, reclaimTd } from '../teardown.ts';
import { bugVm } from '../vm.ts';
import { freeKeyId, releaseKeyId } from './release-key-id.ts';
import { setupTdParams } from './td-params.ts';
import type { TdContext } from './vm-command.ts';

const success = statusCodes.TDX_SUCCESS;

export function initVm(
  context: TdContext,
  caller: Caller,
  cmd: TdxCommandStruct,
  user: UserInitVm,
): Answer {
  const {
    kernel,
    tdx: { module },
    td,
  } = context;
  // 6, 7
  if (td.state !== 'UNINITIALIZED') return refuse('EINVAL');
  if (cmd.flags !== 0) return refuse('EINVAL');
  const init = copyIn(context, user);
  if ('ok' in init) return init;
  // 13
  const noMemory = faultAt(kernel, 'KVM_TDX_INIT_VM: allocate TD_PARAMS');
  if (noMemory !== undefined) return noMemory;
  // 14†: a vCPU exists, EBUSY: KVM_CREATE_VCPU needs the state that step 6 refuses
  const params = setupTdParams(context, init);
  if (typeof params === 'string') return refuse(params);

  const built = buildTd(context, caller, params);
  if (!built.ok) return built;
  // tsc_offset and tsc_multiplier
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_OFFSET });
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_MULTIPLIER });
  td.attributes = params.attributes;
  td.xfam = params.xfam;
  td.sharedBit = (params.configFlags & configFlags.GPAW) === 0n ? 47 : 51;
  td.state = 'INITIALIZED';
  return done;
}

/** 8 to 12: nent alone, then the whole struct. */
function copyIn({ kernel }: TdContext, user: UserInitVm): InitVmStruct | (Answer & { ok: false }) {
  const no = (answer: Answer) => answer as Answer & { ok: false };
  const nent = user.readNent();
  if (nent === undefined) return no(refuse('EFAULT'));
  if (nent > KVM_MAX_CPUID_ENTRIES) return no(refuse('E2BIG'));
  const fault = faultAt(kernel, 'KVM_TDX_INIT_VM: copy the struct');
  if (fault !== undefined) return no(fault);
  const init = user.read(nent);
  if (init === undefined) return no(refuse('EFAULT'));
  if (init.reserved.some((word) => word !== 0n)) return no(refuse('EINVAL'));
  if (init.cpuid.padding !== 0 || init.cpuid.nent !== nent) return no(refuse('EINVAL'));
  return init;
}

/** __tdx_td_init: steps 20 to 29. */
function buildTd(context: TdContext, caller: Caller, params: TdParams): Answer {
  const { kernel, tdx, vm, td } = context;
  const { module } = tdx;
  // 20
  const hkid = kernel.keyIds.allocate();
  if (hkid === undefined) return refuse('ENOSPC');
  // A key that an earlier attempt could not free is overwritten here, and so lost.
  leakTd(kernel, vm, td);
  // 21
  const charged = kernel.cgroup.tryCharge(caller.cgroup);
  if (charged !== 'ok') {
    kernel.keyIds.free(hkid);
    if (kernel.abi.quirks.unchargesFailedCharge) kernel.cgroup.uncharge(caller.cgroup);
    return refuse(charged);
  }
  // 22
  const noMemory = faultAt(kernel, 'KVM_TDX_INIT_VM: allocate TDR and TDCS');
  const pages = noMemory ? undefined : kernel.pages.allocateMany(1 + module.release.tdcxPages.base);
  const [tdr, ...tdcx] = pages ?? [];
  if (tdr === undefined) {
    freeKeyId(kernel, hkid, caller.cgroup);
    return noMemory ?? refuse('ENOMEM');
  }
  // 23
  const cpus = [...packagesOf(kernel.profile.platform)].map((package_) =>
    firstOnlineCpu(kernel.profile.platform, package_),
  );
  if (cpus.includes(undefined)) return rollBack('EIO');
  // 24, 25
  const created = module.seamcall('TDH.MNG.CREATE', { rcx: tdr, rdx: hkid });
  if (created !== success) {
    if (isStatus(created, 'TDX_RND_NO_ENTROPY')) return rollBack('EAGAIN');
    bugVm(vm);
    return rollBack('EIO');
  }
  td.key = { hkid, cgroup: caller.cgroup };
  td.tdr = tdr;
  // 26
  for (const cpu of cpus) {
    if (module.seamcall('TDH.MNG.KEY.CONFIG', { rcx: tdr }, cpu ?? 0) !== success) {
      bugVm(vm);
      return tearDown(0, 'EIO');
    }
  }
  // 27
  for (const [i, page] of tdcx.entries()) {
    const added = module.seamcall('TDH.MNG.ADDCX', { rcx: page, rdx: tdr });
    if (added !== success) {
      if (isStatus(added, 'TDX_RND_NO_ENTROPY')) return tearDown(i, 'EAGAIN');
      bugVm(vm);
      return tearDown(i, 'EIO');
    }
    td.tdcs.push(page);
  }
  // 28, 29
  const initialized = module.seamcall('TDH.MNG.INIT', { rcx: tdr, rdx: params });
  if (isStatus(initialized, 'TDX_OPERAND_INVALID')) {
    return tearDown(tdcx.length, 'EINVAL', initialized);
  }
  if (initialized !== success) {
    bugVm(vm);
    return tearDown(tdcx.length, 'EIO');
  }
  return done;

  /** Before the module knows the TD: the pages and the key ID are still the kernel's. */
  function rollBack(errno: 'EIO' | 'EAGAIN'): Answer {
    for (const page of pages ?? []) kernel.pages.free(page);
    freeKeyId(kernel, hkid as number, caller.cgroup);
    return refuse(errno);
  }

  /** After it: what the module has taken comes back through it. `added` pages are TDCS. */
  function tearDown(added: number, errno: 'EIO' | 'EAGAIN' | 'EINVAL', hwError = 0n): Answer {
    for (const page of tdcx.slice(added) as Hpa[]) kernel.pages.free(page);
    releaseKeyId(kernel, tdx, vm);
    reclaimTd(kernel, tdx, td);
    return refuse(errno, hwError);
  }
}

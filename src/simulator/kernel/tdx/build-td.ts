/**
 * __tdx_td_init() takes a key ID and makes the TD in the module. A refusal gives back what was taken by
 * then.
 */
import type { CheckName } from '../../../abi/kvm/checks/index.ts';
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { Hpa } from '../../module/addresses.ts';
import { refusedByModule } from '../answer.ts';
import { faultAt, type Step, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { allocateControlPages, freeControlPage } from '../memory/control-pages.ts';
import type { AssignedKey } from '../objects.ts';
import { firstOnlineCpu, packagesOf } from '../packages.ts';
import { leakTd, reclaimTd } from '../vm/teardown.ts';
import { bugVm } from '../vm/vm.ts';
import type { TdContext } from './context.ts';
import { freeKeyId, releaseKeyId } from './release-key-id.ts';

const success = statusCodes.TDX_SUCCESS;

/** The TD is on its way into the module; the host has set aside the following for it so far. */
export interface TdInMaking extends TdContext {
  readonly cgroup: string;
  key: AssignedKey | undefined;
  /** The TDR, followed by the TDCS pages. */
  pages: readonly Hpa[];
  /** Status of the last leaf. */
  status: bigint;
}

export function tdInMaking({ kernel, tdx, vm, td }: TdContext, cgroup: string): TdInMaking {
  return { kernel, tdx, vm, td, cgroup, key: undefined, pages: [], status: success };
}

const keyConfigRefused = bugsVm('init-vm.key-config-refused');

export const buildTdSteps: Steps<TdInMaking> = {
  'init-vm.no-key-slot': takesNoKeyId,
  'init-vm.no-key-slot-yet': takesNoKeyId,
  'init-vm.cgroup-limit': (making) => {
    const { kernel, cgroup, key } = making;
    if (kernel.cgroup.tryCharge(cgroup)) return false;
    // Giving the key back also takes back a charge. Some kernels do so even for a charge that was not
    // made.
    if (!kernel.abi.quirks.unchargesFailedCharge && key !== undefined) {
      making.key = { hkid: key.hkid, cgroup: undefined };
    }
    return true;
  },
  'init-vm.no-memory-for-td': (making) => {
    const { kernel, tdx } = making;
    const point = 'KVM_TDX_INIT_VM: allocate TDR and TDCS';
    const fault = faultAt(kernel, point, 'init-vm.no-memory-for-td');
    if (fault !== undefined) return fault;
    const pages = allocateControlPages(kernel, 1 + tdx.module.release.tdcxPages.base);
    making.pages = pages ?? [];
    return pages === undefined;
  },
  'init-vm.package-offline': ({ kernel }) => onlineCpuOfEachPackage(kernel) === undefined,
  'init-vm.create-no-entropy': (making) => {
    const { tdx, td, key, pages } = making;
    const operands = { rcx: pages[0] ?? 0, rdx: key?.hkid ?? 0 };
    making.status = tdx.module.seamcall('TDH.MNG.CREATE', operands);
    if (making.status === success) {
      td.key = key;
      td.tdr = pages[0];
    }
    return isStatus(making.status, 'TDX_RND_NO_ENTROPY');
  },
  'init-vm.create-refused': bugsVm('init-vm.create-refused'),
  'init-vm.create-refused-alive': ({ tdx, status }) =>
    status !== success && refusedByModule('init-vm.create-refused-alive', tdx),
  'init-vm.key-config-refused': (making) => {
    const { kernel, tdx, td } = making;
    for (const cpu of onlineCpuOfEachPackage(kernel) ?? []) {
      const operands = { rcx: td.tdr ?? 0 };
      making.status = tdx.module.seamcall('TDH.MNG.KEY.CONFIG', operands, cpu);
      const refused = keyConfigRefused(making);
      if (refused) return refused;
    }
    return false;
  },
  'init-vm.addcx-no-entropy': (making) => {
    const { tdx, td, pages } = making;
    for (const page of pages.slice(1)) {
      const operands = { rcx: page, rdx: td.tdr ?? 0 };
      making.status = tdx.module.seamcall('TDH.MNG.ADDCX', operands);
      if (making.status !== success) break;
      td.tdcs.push(page);
    }
    return isStatus(making.status, 'TDX_RND_NO_ENTROPY');
  },
  'init-vm.addcx-refused': bugsVm('init-vm.addcx-refused'),
};

function takesNoKeyId(making: TdInMaking): boolean {
  const { kernel, vm, td, cgroup } = making;
  const hkid = kernel.keyIds.allocate();
  if (hkid === undefined) return true;
  // A key that an earlier attempt could not free is overwritten here, and so lost.
  leakTd(kernel, vm, td);
  making.key = { hkid, cgroup };
  return false;
}

/** TDX_BUG_ON bugs the VM on any status other than success. */
export function bugsVm(check: CheckName): Step<TdInMaking> {
  return ({ tdx, vm, status }) => {
    if (status === success) return false;
    bugVm(vm);
    return refusedByModule(check, tdx);
  };
}

/**
 * Gives back what was taken before a refusal. Until the module knows the TD, the kernel frees key and
 * pages by itself; after that they come back through the module.
 */
export function giveBack(making: TdInMaking): void {
  const { kernel, tdx, vm, td, key, pages } = making;
  if (key === undefined) return;
  if (td.tdr === undefined) {
    for (const page of pages) freeControlPage(kernel, page);
    freeKeyId(kernel, key.hkid, key.cgroup);
    return;
  }
  // TDH.MNG.ADDCX has not taken these pages.
  for (const page of pages.slice(1 + td.tdcs.length)) freeControlPage(kernel, page);
  releaseKeyId(kernel, tdx, vm);
  reclaimTd(kernel, tdx, td);
}

/** Returns undefined when a package with present CPUs has none online. */
function onlineCpuOfEachPackage({ profile: { platform } }: Kernel): number[] | undefined {
  const cpus: number[] = [];
  for (const package_ of packagesOf(platform)) {
    const cpu = firstOnlineCpu(platform, package_);
    if (cpu === undefined) return undefined;
    cpus.push(cpu);
  }
  return cpus;
}

/** setup_tdparams: from `struct kvm_tdx_init_vm` to TD_PARAMS (kernel-abi 2.6 steps 10 to 14). */

import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import {
  type CpuidRegisters,
  configFlags,
  eptpControls,
  type TdParams,
  tscFrequencyUnitKhz,
} from '../../../abi/tdx/td-params.ts';
import { xfamFixed1 } from '../../../abi/tdx/xfam.ts';
import type { InitVmStruct } from '../../interface.ts';
import { cpuid7Unsupported } from '../bring-up.ts';
import type { TdContext } from './context.ts';

export function setupTdParams(
  { kernel, tdx, vm }: TdContext,
  init: InitVmStruct,
  maxVcpus: number,
): TdParams | ErrnoName {
  // 15, 16
  if ((init.attributes & ~tdx.supportedAttributes) !== 0n) return 'EINVAL';
  if ((init.xfam & ~tdx.supportedXfam) !== 0n) return 'EINVAL';
  // 17
  const width = guestAddressWidth(init.cpuid.entries);
  if (width !== 48 && width !== 52) return 'EINVAL';
  if (width === 52 && !kernel.profile.platform.fiveLevelEpt) return 'EINVAL';
  // 18, 19
  const cpuid = setupCpuid(tdx.configurableCpuid, init.cpuid.entries);
  if (cpuid === undefined) return 'EINVAL';
  if (cpuid.matched !== init.cpuid.nent && kernel.abi.initVm.otherCpuid === 'EINVAL')
    return 'EINVAL';

  return {
    attributes: init.attributes,
    xfam: init.xfam | xfamFixed1,
    // A u16.
    maxVcpus: maxVcpus & 0xffff,
    numL2Vms: 0,
    msrConfigCtls: 0,
    eptpControls: width === 52 ? eptpControls.fiveLevels : eptpControls.fourLevels,
    configFlags: configFlags.NO_RBP_MOD | (width === 52 ? configFlags.GPAW : 0n),
    // A u16; what does not fit is cut off before the module sees it.
    tscFrequency: Math.floor(vm.tscKhz / tscFrequencyUnitKhz) & 0xffff,
    mrConfigId: init.mrConfigId,
    mrOwner: init.mrOwner,
    mrOwnerConfig: init.mrOwnerConfig,
    ia32ArchCapabilitiesConfig: 0n,
    cpuidConfig: cpuid.rows,
  };
}

function guestAddressWidth(entries: readonly CpuidEntry[]): number | undefined {
  const entry = findEntry(entries, 0x8000_0008, 0);
  return entry === undefined ? undefined : (entry.eax >>> 16) & 0xff;
}

type Configurable = TdContext['tdx']['configurableCpuid'];

/** A row for each configurable leaf, and how many found an entry. undefined: one KVM does not allow. */
function setupCpuid(
  leaves: Configurable,
  entries: readonly CpuidEntry[],
): { readonly rows: readonly CpuidRegisters[]; readonly matched: number } | undefined {
  let matched = 0;
  const rows: CpuidRegisters[] = [];
  for (const leaf of leaves) {
    const entry = findEntry(entries, leaf.leaf, leaf.subleaf ?? 0);
    if (entry === undefined) {
      rows.push(none);
      continue;
    }
    if (hasUnsupportedFeature(entry)) return undefined;
    matched++;
    // The address width goes to the module as GPAW; it takes no bits of it here.
    const eax = leaf.leaf === 0x8000_0008 ? (entry.eax & ~0x00ff_0000) >>> 0 : entry.eax;
    rows.push({ eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx });
  }
  return { rows, matched };
}

const none: CpuidRegisters = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** HLE, RTM, WAITPKG. */
function hasUnsupportedFeature(entry: CpuidEntry): boolean {
  if (entry.function !== 7 || entry.index !== 0) return false;
  return (entry.ebx & cpuid7Unsupported.ebx) !== 0 || (entry.ecx & cpuid7Unsupported.ecx) !== 0;
}

/** setup_tdparams: from `struct kvm_tdx_init_vm` to TD_PARAMS (kernel-abi 2.6 steps 10 to 14). */

import {
  ADDRESS_SIZES_LEAF,
  findEntry,
  forbiddenFeatures,
  guestAddressBits,
  withGuestAddressBits,
} from '../../../abi/kvm/cpuid.ts';
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
  const width = guestAddressBits(init.cpuid.entries);
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
    if (forbiddenFeatures(entry).length > 0) return undefined;
    matched++;
    // The address width goes to the module as GPAW; it takes no bits of it here.
    const eax = leaf.leaf === ADDRESS_SIZES_LEAF ? withGuestAddressBits(entry.eax, 0) : entry.eax;
    rows.push({ eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx });
  }
  return { rows, matched };
}

const none: CpuidRegisters = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

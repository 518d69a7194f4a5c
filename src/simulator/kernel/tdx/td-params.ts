/** setup_tdparams() makes TD_PARAMS from `struct kvm_tdx_init_vm`. */
import { allZero, type CpuidRegisters } from '../../../abi/cpuid/registers.ts';
import {
  ADDRESS_SIZES_LEAF,
  findEntry,
  guestAddressBits,
  withGuestAddressBits,
} from '../../../abi/kvm/cpuid.ts';
import type { InitVmFacts } from '../../../abi/kvm/init-vm-rules.ts';
import {
  configFlags,
  eptpControls,
  type TdParams,
  tscFrequencyOf,
} from '../../../abi/tdx/td-params.ts';
import { xfamFixed1 } from '../../../abi/tdx/xfam.ts';
import type { InitVmStruct } from '../../interface.ts';
import type { TdContext } from './context.ts';

export interface InitVmGround {
  readonly kernel: Pick<TdContext['kernel'], 'profile'>;
  readonly tdx: TdContext['tdx'];
}

export function initVmFacts({ kernel, tdx }: InitVmGround, init: InitVmStruct): InitVmFacts {
  const { attributes, xfam, cpuid } = init;
  const { supportedAttributes, supportedXfam, configurableCpuid } = tdx;
  return {
    attributes,
    xfam,
    entries: cpuid.entries,
    supportedAttributes,
    supportedXfam,
    found: configurableCpuid.map(({ leaf, subleaf }) =>
      findEntry(cpuid.entries, leaf, subleaf ?? 0),
    ),
    has5LevelEpt: kernel.profile.platform.fiveLevelEpt,
  };
}

export function tdParamsOf(
  { tdx, vm }: TdContext,
  init: InitVmStruct,
  { maxVcpus, found }: { readonly maxVcpus: number; readonly found: InitVmFacts['found'] },
): TdParams {
  const isWide = guestAddressBits(init.cpuid.entries) === 52;
  return {
    attributes: init.attributes,
    xfam: init.xfam | xfamFixed1,
    // The field is a u16.
    maxVcpus: maxVcpus & 0xffff,
    numL2Vms: 0,
    msrConfigCtls: 0,
    eptpControls: isWide ? eptpControls.fiveLevels : eptpControls.fourLevels,
    configFlags: configFlags.NO_RBP_MOD | (isWide ? configFlags.GPAW : 0n),
    tscFrequency: tscFrequencyOf(vm.tscKhz),
    mrConfigId: init.mrConfigId,
    mrOwner: init.mrOwner,
    mrOwnerConfig: init.mrOwnerConfig,
    ia32ArchCapabilitiesConfig: 0n,
    cpuidConfig: tdx.configurableCpuid.map(({ leaf }, i) => registersOf(leaf, found[i])),
  };
}

function registersOf(leaf: number, entry: CpuidRegisters | undefined): CpuidRegisters {
  if (entry === undefined) return allZero;
  // The address width goes to the module as GPAW, so the module takes no bits of it here.
  const eax = leaf === ADDRESS_SIZES_LEAF ? withGuestAddressBits(entry.eax, 0) : entry.eax;
  return { eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx };
}

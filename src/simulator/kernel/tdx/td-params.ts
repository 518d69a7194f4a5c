/** setup_tdparams() makes TD_PARAMS from `struct kvm_tdx_init_vm`. */
import { allZero, type CpuidRegisters } from '../../../abi/cpuid/registers.ts';
import {
  ADDRESS_SIZES_LEAF,
  findEntry,
  guestAddressBits,
  withGuestAddressBits,
} from '../../../abi/kvm/cpuid.ts';
import type { InitVmFacts } from '../../../abi/kvm/init-vm-rules.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import {
  configFlags,
  eptpControls,
  type TdParams,
  tscFrequencyOf,
} from '../../../abi/tdx/td-params.ts';
import { xfamFixed1 } from '../../../abi/tdx/xfam.ts';
import type { InitVmStruct } from '../../interface.ts';
import { oncePer } from '../../once-per.ts';
import type { TdxSupport } from '../kernel.ts';
import type { TdContext } from './context.ts';

export interface InitVmGround {
  readonly kernel: Pick<TdContext['kernel'], 'profile'>;
  readonly tdx: TdContext['tdx'];
}

interface KnownFacts {
  readonly configurableCpuid: TdxSupport['configurableCpuid'];
  readonly facts: InitVmFacts;
}

/** The last facts of each list of entries: the TDs of one plan are asked for by the same list. */
const lastFacts = new WeakMap<InitVmFacts['entries'], KnownFacts>();

export function initVmFacts({ kernel, tdx }: InitVmGround, init: InitVmStruct): InitVmFacts {
  const { attributes, xfam } = init;
  const { entries } = init.cpuid;
  const { supportedAttributes, supportedXfam, configurableCpuid } = tdx;
  const has5LevelEpt = kernel.profile.platform.fiveLevelEpt;
  const asked = { attributes, xfam, entries, supportedAttributes, supportedXfam, has5LevelEpt };
  const last = lastFacts.get(entries);
  if (last?.configurableCpuid === configurableCpuid && isSame(last.facts, asked)) return last.facts;
  const found = configurableCpuid.map(({ leaf, subleaf }) =>
    findEntry(entries, leaf, subleaf ?? 0),
  );
  const facts = { ...asked, found };
  lastFacts.set(entries, { configurableCpuid, facts });
  return facts;
}

function isSame(one: InitVmFacts, other: Omit<InitVmFacts, 'found'>): boolean {
  return (
    one.attributes === other.attributes &&
    one.xfam === other.xfam &&
    one.supportedAttributes === other.supportedAttributes &&
    one.supportedXfam === other.supportedXfam &&
    one.has5LevelEpt === other.has5LevelEpt
  );
}

export function tdParamsOf(
  { vm }: Pick<TdContext, 'vm'>,
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
    cpuidConfig: cpuidConfigOf(found),
  };
}

const cpuidConfigOf = oncePer((found: InitVmFacts['found']) => found.map(registersOf));

function registersOf(entry: CpuidEntry | undefined): CpuidRegisters {
  if (entry === undefined) return allZero;
  // The address width goes to the module as GPAW, so the module takes no bits of it here.
  const eax =
    entry.function === ADDRESS_SIZES_LEAF ? withGuestAddressBits(entry.eax, 0) : entry.eax;
  return { eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx };
}

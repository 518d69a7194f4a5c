/**
 * The MSR lists of a host are those of the kernel, as far as KVM has for guests what they stand for:
 * kvm_init_msr_lists() in arch/x86/kvm/msrs.c.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { HostProfile, Platform } from '../../platform.ts';
import { archCapTsxCtrl, featureMsrs } from '../../profiles/msrs/features.ts';
import { emulatedMsrs, type MsrCondition, msrsToSave, pmuMsrs } from '../../profiles/msrs/lists.ts';
import { vmxMsrs } from '../../profiles/msrs/vmx.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import { kvmHasOn } from '../cpuid/cpu-features.ts';
import { kvmCounters } from './pmu.ts';

export interface MsrTables {
  readonly toSave: readonly number[];
  readonly emulated: readonly number[];
  /** The MSRs of either list, which are those that kvm_is_advertised_msr() knows. */
  readonly advertised: ReadonlySet<number>;
  readonly features: ReadonlyMap<number, bigint>;
  /** The host has IA32_TSX_CTRL. */
  readonly hasTsxCtrl: boolean;
}

/** A rehearsal boots thousands of machines of one profile. */
const made = new WeakMap<HostProfile, MsrTables>();

export function msrTablesOf(profile: HostProfile): MsrTables {
  const tables = made.get(profile) ?? makeTables(profile);
  made.set(profile, tables);
  return tables;
}

function makeTables(profile: HostProfile): MsrTables {
  const { platform } = profile;
  const features = new Map([...nestedMsrsOf(profile), ...featuresOf(platform)]);
  const capabilities = features.get(msr.IA32_ARCH_CAPABILITIES) ?? 0n;
  const hasTsxCtrl = (capabilities & archCapTsxCtrl) !== 0n;
  const listed = msrsToSave.flatMap(({ indices, needs }) =>
    needs === undefined || holds(platform, hasTsxCtrl, needs) ? indices : [],
  );
  const toSave = [...listed, ...pmuMsrsOf(platform)];
  const emulated = emulatedMsrs.filter((index) => !isVmx(index) || features.has(index));
  const advertised = new Set([...toSave, ...emulated]);
  return { toSave, emulated, advertised, features, hasTsxCtrl };
}

const isVmx = (index: number) => index >= msr.IA32_VMX_BASIC && index <= msr.IA32_VMX_VMFUNC;

/** kvm_intel has VMX for guests unless it was loaded with nested=0. */
function nestedMsrsOf({ platform, recordedCapabilities }: HostProfile) {
  if (recordedCapabilities?.KVM_CAP_NESTED_STATE === 0) return [];
  return vmxMsrs({ hasCet: has(platform, 'SHSTK or IBT') });
}

/** Without a PMU there is nothing in IA32_PERF_CAPABILITIES. */
function featuresOf({ features: { pmu } }: Platform): (readonly [number, bigint])[] {
  return featureMsrs.map(([index, value]) =>
    index === msr.IA32_PERF_CAPABILITIES && !pmu ? [index, 0n] : [index, value],
  );
}

function holds(platform: Platform, hasTsxCtrl: boolean, condition: MsrCondition): boolean {
  if (condition === 'TSX_CTRL') return hasTsxCtrl;
  if (condition === 'XSS') return supportedFeatures(platform).xss !== 0n;
  return has(platform, condition);
}

function has(platform: Platform, condition: Exclude<MsrCondition, 'TSX_CTRL' | 'XSS'>): boolean {
  return conditions[condition].some((feature) => kvmHasOn(platform, feature));
}

const conditions = {
  'RDTSCP or RDPID': ['RDTSCP', 'RDPID'],
  WAITPKG: ['WAITPKG'],
  XFD: ['XFD'],
  'SHSTK or IBT': ['SHSTK', 'IBT'],
  SHSTK: ['SHSTK'],
} as const;

function pmuMsrsOf(platform: Platform): number[] {
  if (!platform.features.pmu) return [];
  const { general, fixed } = kvmCounters(platform);
  const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
  return [
    ...from(msr.CORE_PERF_FIXED_CTR0, fixed),
    ...pmuMsrs,
    ...from(msr.IA32_PERFCTR0, general),
    ...from(msr.P6_EVNTSEL0, general),
  ];
}

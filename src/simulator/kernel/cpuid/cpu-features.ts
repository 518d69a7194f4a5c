/** CPU features by name, as a list of CPUID entries shows them, and as KVM has them for guests. */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { Platform } from '../../platform.ts';
import { type FeatureName, type FeatureWord, featureWords, placeOf } from './feature-words.ts';
import { supportedCpuid } from './supported.ts';

/** One bit of one register of CPUID. */
type Bit = Pick<FeatureWord, 'leaf' | 'subleaf' | 'register'> & { readonly bit: number };

/**
 * KVM gives these to no guest of an Intel host, and yet looks for them.
 * Source: arch/x86/include/asm/cpufeatures.h, Linux 7.3.
 */
const neverGiven = {
  SMX: { leaf: 1, subleaf: 0, register: 'ecx', bit: 6 },
  FXSR_OPT: { leaf: 0x8000_0001, subleaf: 0, register: 'edx', bit: 25 },
  AUTOIBRS: { leaf: 0x8000_0021, subleaf: 0, register: 'eax', bit: 8 },
  GP_ON_USER_CPUID: { leaf: 0x8000_0021, subleaf: 0, register: 'eax', bit: 17 },
} as const satisfies Readonly<Record<string, Bit>>;

export type CpuFeature = FeatureName | keyof typeof neverGiven;

const isNeverGiven = (feature: CpuFeature): feature is keyof typeof neverGiven =>
  Object.hasOwn(neverGiven, feature);

function bitOf(feature: CpuFeature): Bit {
  if (isNeverGiven(feature)) return neverGiven[feature];
  const { word, bit } = placeOf(feature);
  const { leaf, subleaf, register } = featureWords[word];
  return { leaf, subleaf, register, bit };
}

export function cpuidHas(entries: readonly CpuidEntry[], feature: CpuFeature): boolean {
  const { leaf, subleaf, register, bit } = bitOf(feature);
  return (((findEntry(entries, leaf, subleaf)?.[register] ?? 0) >>> bit) & 1) === 1;
}

/** kvm_cpu_cap_has() */
export function kvmHasOn(platform: Platform, feature: CpuFeature): boolean {
  return cpuidHas(supportedCpuid(platform), feature);
}

/**
 * What KVM has for guests on a platform, kvm_cpu_caps and kvm_caps. It is looked up here and nowhere else.
 */
import { type CpuFeature, cpuidHas } from '../../abi/kvm/cpu-features.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { xfamMask } from '../../abi/tdx/xfam.ts';
import type { Platform } from '../platform.ts';

/** What KVM_GET_SUPPORTED_CPUID answers. */
export function kvmCpuid({ cpuid }: Platform): readonly CpuidEntry[] {
  return cpuid;
}

/** kvm_cpu_cap_has() */
export function kvmHasOn(platform: Platform, feature: CpuFeature): boolean {
  return cpuidHas(kvmCpuid(platform), feature);
}

/** kvm_caps.supported_xss: of the components in IA32_XSS, KVM supports CET alone. */
export function kvmXss({ xfam }: Platform): bigint {
  return xfam & xfamMask.cet;
}

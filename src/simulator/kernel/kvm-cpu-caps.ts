/**
 * What KVM has for guests on a platform, kvm_cpu_caps and kvm_caps. It is looked up here and nowhere else.
 */
import { type CpuFeature, cpuidHas } from '../../abi/kvm/cpu-features.ts';
import type { Platform } from '../platform.ts';
import { supportedCpuid } from './cpuid/supported.ts';

/** kvm_cpu_cap_has() */
export function kvmHasOn(platform: Platform, feature: CpuFeature): boolean {
  return cpuidHas(supportedCpuid(platform), feature);
}

/** What a guest has of what KVM can give: guest_cpu_cap_has() and its like. */

import { findEntry } from '../../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import { supportedFeatures } from '../cpuid/cpu-caps.ts';
import { type CpuFeature, cpuidHas, kvmHasOn } from '../cpuid/cpu-features.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

export function kvmHas({ profile }: Kernel, feature: CpuFeature): boolean {
  return kvmHasOn(profile.platform, feature);
}

/** A guest has what KVM supports and its CPUID shows: nothing before KVM_SET_CPUID2. */
export function guestHas(kernel: Kernel, { cpuid }: Vcpu, feature: CpuFeature): boolean {
  return cpuidHas(cpuid, feature) && kvmHas(kernel, feature);
}

/** cpuid_get_supported_xcr0() */
export function guestXcr0({ profile }: Kernel, { cpuid }: Vcpu): bigint {
  const entry = findEntry(cpuid, 0xd, 0);
  return quad(entry?.edx, entry?.eax) & supportedFeatures(profile.platform).xcr0;
}

/** cpuid_get_supported_xss() */
export function guestXss({ profile }: Kernel, { cpuid }: Vcpu): bigint {
  const entry = findEntry(cpuid, 0xd, 1);
  return quad(entry?.edx, entry?.ecx) & supportedFeatures(profile.platform).xss;
}

function quad(high = 0, low = 0): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** vendors whose CPUs KVM takes for AMD's, by EBX of leaf 0: `Auth`, `AMDi`, `Hygo`. */
const amdVendors: readonly (number | undefined)[] = [0x6874_7541, 0x6944_4d41, 0x6f67_7948];

export function isAmdCompatible({ cpuid }: Vcpu): boolean {
  return amdVendors.includes(findEntry(cpuid, 0)?.ebx);
}

/** guest_cpuid_model(): KVM_SET_MSRS compares it with that of the host. */
export function cpuModel(entries: readonly CpuidEntry[]): number | undefined {
  const signature = findEntry(entries, 1)?.eax;
  if (signature === undefined) return undefined;
  const family = (signature >>> 8) & 0xf;
  const model = (signature >>> 4) & 0xf;
  return family >= 6 ? model | ((signature >>> 12) & 0xf0) : model;
}

/** Paravirtual features of KVM's own leaf, wherever the guest's CPUID has put it. */
const signature = { ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d } as const;

/**
 * guest_pv_has(): a guest has every paravirtual feature unless KVM_CAP_ENFORCE_PV_FEATURE_CPUID holds it to
 * its CPUID.
 */
export function guestHasPv({ cpuid, enforcesPvCpuid }: Vcpu, bit: number): boolean {
  if (!enforcesPvCpuid) return true;
  const base = cpuid.find(
    ({ function: leaf, ebx, ecx, edx }) =>
      leaf >= 0x4000_0000 &&
      leaf < 0x4001_0000 &&
      ebx === signature.ebx &&
      ecx === signature.ecx &&
      edx === signature.edx,
  );
  if (base === undefined) return false;
  const features = findEntry(cpuid, base.function | 1)?.eax ?? 0;
  return ((features >>> bit) & 1) === 1;
}

/**
 * The PMU that a guest's CPUID describes, within what KVM can give: intel_pmu_refresh() in
 * arch/x86/kvm/vmx/pmu_intel.c and kvm_pmu_refresh() in arch/x86/kvm/pmu.c. No counter counts here.
 */
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { msr } from '../../../abi/kvm/msrs.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { Platform } from '../../platform.ts';
import { kvmHasOn } from '../cpuid/cpu-features.ts';
import { supportedCpuid } from '../cpuid/supported.ts';
import type { Vcpu } from '../objects.ts';
import { ones } from './bits.ts';

/** KVM_MAX_NR_INTEL_GP_COUNTERS and KVM_MAX_NR_INTEL_FIXED_COUNTERS */
export const mostCounters = { general: 8, fixed: 3 } as const;

export interface Pmu {
  readonly version: number;
  readonly general: number;
  readonly fixed: number;
  /** Masks of the counters' values. */
  readonly generalBits: bigint;
  readonly fixedBits: bigint;
  /** Bits of an event selector that a guest must not set. */
  readonly selectorReserved: bigint;
}

const none: Pmu = {
  version: 0,
  general: 0,
  fixed: 0,
  generalBits: 0n,
  fixedBits: 0n,
  selectorReserved: ones(63),
};

interface Leaf {
  readonly version: number;
  readonly general: number;
  readonly generalWidth: number;
  readonly fixed: number;
  readonly fixedWidth: number;
}

/** CPUID leaf 0xa, as union cpuid10_eax and cpuid10_edx have it. */
function pmuLeaf(entries: readonly CpuidEntry[]): Leaf {
  const { eax = 0, edx = 0 } = findEntry(entries, 0xa) ?? {};
  return {
    version: eax & 0xff,
    general: (eax >>> 8) & 0xff,
    generalWidth: (eax >>> 16) & 0xff,
    fixed: edx & 0x1f,
    fixedWidth: (edx >>> 5) & 0xff,
  };
}

/** kvm_pmu_cap: how many counters KVM has for guests; none without a PMU. */
export function kvmCounters(platform: Platform): {
  readonly general: number;
  readonly fixed: number;
} {
  if (!platform.features.pmu) return { general: 0, fixed: 0 };
  const { general, fixed } = pmuLeaf(supportedCpuid(platform));
  return {
    general: Math.min(general, mostCounters.general),
    fixed: Math.min(fixed, mostCounters.fixed),
  };
}

/** EN_FLAGS, then bits that only a guest with transactional memory may use. */
const selector = { reserved: ones(63, 32) | (1n << 21n), inTransaction: 1n << 32n } as const;
/**
 * The kernel masks EBX of leaf 7 with the numbers of the features HLE and RTM and not with their bits
 * (intel_pmu_refresh()): these are the bits of those numbers.
 */
const hleOrRtm = 0x12f;

export function pmuOf(platform: Platform, { cpuid, vm }: Vcpu): Pmu {
  const guest = pmuLeaf(cpuid);
  if (!platform.features.pmu || vm.caps.pmuDisabled || guest.version === 0) return none;
  const host = pmuLeaf(supportedCpuid(platform));
  const limit = kvmCounters(platform);
  const fixed = guest.version === 1 ? 0 : Math.min(guest.fixed, limit.fixed);
  const hostHasTsx = kvmHasOn(platform, 'HLE') || kvmHasOn(platform, 'RTM');
  const guestHasTsx = ((findEntry(cpuid, 7)?.ebx ?? 0) & hleOrRtm) !== 0;
  return {
    version: guest.version,
    general: Math.min(guest.general, limit.general),
    fixed,
    generalBits: maskOf(Math.min(guest.generalWidth, host.generalWidth)),
    fixedBits: fixed === 0 ? 0n : maskOf(Math.min(guest.fixedWidth, host.fixedWidth)),
    selectorReserved:
      hostHasTsx && guestHasTsx ? selector.reserved ^ selector.inTransaction : selector.reserved,
  };
}

export function maskOf(bits: number): bigint {
  return bits === 0 ? 0n : ones(bits - 1);
}

/** A PMU with an odd version of global control, or with counters that the mask has. */
export function counterMask({ general, fixed }: Pmu): bigint {
  return maskOf(general) | (maskOf(fixed) << 32n);
}

const isOfPmu = (index: number) =>
  [
    [msr.IA32_PERFCTR0, msr.IA32_PERFCTR0 + mostCounters.general - 1],
    [msr.P6_EVNTSEL0, msr.P6_EVNTSEL0 + mostCounters.general - 1],
    [msr.CORE_PERF_FIXED_CTR0, msr.CORE_PERF_FIXED_CTR0 + mostCounters.fixed - 1],
    [msr.CORE_PERF_FIXED_CTR_CTRL, msr.CORE_PERF_GLOBAL_CTRL],
  ].some(([first = 0, last = 0]) => index >= first && index <= last);

/** kvm_pmu_reset(): another model of CPU begins with its counters at 0. */
export function resetPmu({ msrs }: Vcpu): void {
  for (const index of msrs.keys()) if (isOfPmu(index)) msrs.delete(index);
}

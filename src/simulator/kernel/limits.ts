/**
 * These numbers are fixed when the kernel is built. Source: Linux 7.3, arch/x86/include/asm/kvm_host.h.
 */

import type { VcpuBound } from '../../abi/kvm/kernels/record.ts';
import { presentCpus } from '../platform.ts';
import type { Kernel } from './kernel.ts';
import type { Vm } from './objects.ts';

export const KVM_API_VERSION = 12;
/** The mapping of a vCPU has three pages: kvm_run, the PIO data and the ring of coalesced MMIO. */
export const vcpuMmapBytes = 12288;
export const KVM_VCPU_ID_RATIO = 4;
export const KVM_USER_MEM_SLOTS = 32764;
export const KVM_MAX_IRQ_ROUTES = 4096;
export const KVM_MAX_MCE_BANKS = 32;
/** A dirty ring holds at most KVM_DIRTY_RING_MAX_ENTRIES entries of 16 bytes each. */
export const maxDirtyRingBytes = 65536 * 16;

/** A TD has no SMM and therefore no second address space. */
export function addressSpaces({ isTd }: Vm): number {
  return isTd ? 1 : 2;
}

/** MAX_VCPU_ID bounds the id of a vCPU. */
export function maxVcpuIds(kvmMaxVcpus: number): number {
  return KVM_VCPU_ID_RATIO * kvmMaxVcpus;
}
/** Gives the least of some bounds on vCPUs, or 0 where a rule names none. */
export function leastBound(kernel: Kernel, bounds: readonly VcpuBound[]): number {
  if (bounds.length === 0) return 0;
  let least = Number.POSITIVE_INFINITY;
  for (const bound of bounds) least = Math.min(least, vcpuBound(kernel, bound));
  return least;
}

/**
 * This value is the largest that fits the u16 of TD_PARAMS. A module without a limit of its own counts
 * as having this one.
 */
const TDX_MAX_VCPUS = 0xffff;

function vcpuBound(kernel: Kernel, bound: VcpuBound): number {
  switch (bound) {
    case 'KVM_MAX_VCPUS':
      return kernel.profile.kvmMaxVcpus;
    case 'present CPUs':
      return presentCpus(kernel.profile.platform);
    case '0xffff':
      return TDX_MAX_VCPUS;
    case 'module max_vcpus_per_td':
      return kernel.tdx?.module.limits.maxVcpusPerTd ?? TDX_MAX_VCPUS;
  }
}

/** With TSC scaling (48 fraction bits) the s32 of the kernel is the bound for every real clock. */
export const maxGuestTscKhz = 0x7fff_ffff;

/** Numbers of the kernel's own build. Source: Linux 7.3, arch/x86/include/asm/kvm_host.h. */

import type { VcpuBound } from '../../abi/kvm/kernels/record.ts';
import { presentCpus } from '../platform.ts';
import type { Kernel } from './kernel.ts';
import type { Vm } from './objects.ts';

export const KVM_API_VERSION = 12;
/** Three pages: kvm_run, pio data, coalesced MMIO. */
export const vcpuMmapBytes = 12288;
export const KVM_VCPU_ID_RATIO = 4;
export const KVM_USER_MEM_SLOTS = 32764;
export const KVM_MAX_IRQ_ROUTES = 4096;
export const KVM_MAX_MCE_BANKS = 32;
/** KVM_DIRTY_RING_MAX_ENTRIES of 16 bytes. */
export const maxDirtyRingBytes = 65536 * 16;

/** A TD has no SMM and so no second address space. */
export function addressSpaces({ isTd }: Vm): number {
  return isTd ? 1 : 2;
}

/** MAX_VCPU_ID and the bound of a vCPU id. */
export function maxVcpuIds(kvmMaxVcpus: number): number {
  return KVM_VCPU_ID_RATIO * kvmMaxVcpus;
}
/** The least of some bounds on vCPUs; 0 where a rule names none. */
export function leastBound(kernel: Kernel, bounds: readonly VcpuBound[]): number {
  if (bounds.length === 0) return 0;
  let least = Number.POSITIVE_INFINITY;
  for (const bound of bounds) least = Math.min(least, vcpuBound(kernel, bound));
  return least;
}

/** What fits the u16 of TD_PARAMS, and what a module without a limit of its own counts as. */
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

/** With TSC scaling (48 fraction bits) every real clock reaches the s32 bound. */
export const maxGuestTscKhz = 0x7fff_ffff;

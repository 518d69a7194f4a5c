/**
 * KVM_GET_EMULATED_CPUID: features that KVM emulates without giving them to guests by itself.
 * Source: cpuid_func_emulated() in arch/x86/kvm/cpuid.c, Linux 7.3.
 */
import { allZero, bitsOf } from '../../../abi/cpuid/registers.ts';
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../../abi/kvm/structs.ts';
import type { Platform } from '../../platform.ts';
import { supportedCpuid } from './supported.ts';

export function emulatedCpuid(platform: Platform): readonly CpuidEntry[] {
  const none = { index: 0, flags: 0, ...allZero };
  const extended = findEntry(supportedCpuid(platform), 0x8000_0001);
  const hasRdtscp = ((extended?.edx ?? 0) & bitsOf(27)) !== 0;
  return [
    { ...none, function: 0, eax: 7 },
    // MOVBE
    { ...none, function: 1, ecx: bitsOf(22) },
    // RDPID, which reads what RDTSCP reads
    {
      ...none,
      function: 7,
      flags: KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
      ecx: hasRdtscp ? bitsOf(22) : 0,
    },
  ];
}

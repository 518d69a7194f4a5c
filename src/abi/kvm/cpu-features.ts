/**
 * CPU features by name: the bit of CPUID that has each.
 * Source: arch/x86/include/asm/cpufeatures.h and arch/x86/kvm/reverse_cpuid.h, Linux 7.3.
 */
import { findEntry } from './cpuid.ts';
import type { CpuidEntry } from './structs.ts';

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
type Place = readonly [leaf: number, index: number, register: Register, bit: number];

export const cpuFeatures = {
  VMX: [1, 0, 'ecx', 5],
  XMM3: [1, 0, 'ecx', 0],
  DTES64: [1, 0, 'ecx', 2],
  PDCM: [1, 0, 'ecx', 15],
  PCID: [1, 0, 'ecx', 17],
  X2APIC: [1, 0, 'ecx', 21],
  TSC_DEADLINE_TIMER: [1, 0, 'ecx', 24],
  XSAVE: [1, 0, 'ecx', 26],
  VME: [1, 0, 'edx', 1],
  DE: [1, 0, 'edx', 2],
  PSE: [1, 0, 'edx', 3],
  TSC: [1, 0, 'edx', 4],
  PAE: [1, 0, 'edx', 6],
  MCE: [1, 0, 'edx', 7],
  PGE: [1, 0, 'edx', 13],
  DS: [1, 0, 'edx', 21],
  FXSR: [1, 0, 'edx', 24],
  XMM: [1, 0, 'edx', 25],
  SMX: [1, 0, 'ecx', 6],
  FSGSBASE: [7, 0, 'ebx', 0],
  TSC_ADJUST: [7, 0, 'ebx', 1],
  HLE: [7, 0, 'ebx', 4],
  SMEP: [7, 0, 'ebx', 7],
  RTM: [7, 0, 'ebx', 11],
  SMAP: [7, 0, 'ebx', 20],
  UMIP: [7, 0, 'ecx', 2],
  PKU: [7, 0, 'ecx', 3],
  WAITPKG: [7, 0, 'ecx', 5],
  SHSTK: [7, 0, 'ecx', 7],
  LA57: [7, 0, 'ecx', 16],
  RDPID: [7, 0, 'ecx', 22],
  BUS_LOCK_DETECT: [7, 0, 'ecx', 24],
  IBT: [7, 0, 'edx', 20],
  SPEC_CTRL: [7, 0, 'edx', 26],
  INTEL_STIBP: [7, 0, 'edx', 27],
  FLUSH_L1D: [7, 0, 'edx', 28],
  ARCH_CAPABILITIES: [7, 0, 'edx', 29],
  SPEC_CTRL_SSBD: [7, 0, 'edx', 31],
  LAM: [7, 1, 'eax', 26],
  INTEL_PSFD: [7, 2, 'edx', 0],
  IPRED_CTRL: [7, 2, 'edx', 1],
  RRSBA_CTRL: [7, 2, 'edx', 2],
  DDPD_U: [7, 2, 'edx', 3],
  BHI_CTRL: [7, 2, 'edx', 4],
  XSAVES: [0xd, 1, 'eax', 3],
  XFD: [0xd, 1, 'eax', 4],
  NX: [0x8000_0001, 0, 'edx', 20],
  FXSR_OPT: [0x8000_0001, 0, 'edx', 25],
  RDTSCP: [0x8000_0001, 0, 'edx', 27],
  LM: [0x8000_0001, 0, 'edx', 29],
  GP_ON_USER_CPUID: [0x8000_0021, 0, 'eax', 17],
  AUTOIBRS: [0x8000_0021, 0, 'eax', 8],
} as const satisfies Readonly<Record<string, Place>>;

export type CpuFeature = keyof typeof cpuFeatures;

export function cpuidHas(entries: readonly CpuidEntry[], feature: CpuFeature): boolean {
  const [leaf, index, register, bit] = cpuFeatures[feature];
  return (((findEntry(entries, leaf, index)?.[register] ?? 0) >>> bit) & 1) === 1;
}

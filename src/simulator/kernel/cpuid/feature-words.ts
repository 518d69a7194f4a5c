/**
 * The registers of CPUID whose bits are features, and which of them KVM gives a guest where the CPU and
 * the kernel have them. A bit that is not here is shown to no guest.
 * Source: kvm_initialize_cpu_caps() in arch/x86/kvm/cpuid.c, Linux 7.3, as far as a CPU of Intel has the
 * leaf.
 */
import type { CpuidRegister } from '../../../abi/cpuid/registers.ts';

export interface FeatureWord {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
  /** Bit numbers by the kernel's names without the prefix X86_FEATURE_. */
  readonly features: Readonly<Record<string, number>>;
  /** Those that KVM emulates, and so gives whatever the CPU has. */
  readonly emulated?: readonly string[];
  /** Those that are added where the CPU or KVM's parameters allow it (vmx_set_cpu_caps). */
  readonly added?: Readonly<Record<string, number>>;
}

export const featureWords = {
  '1.ecx': {
    leaf: 1,
    subleaf: 0,
    register: 'ecx',
    features: {
      XMM3: 0,
      PCLMULQDQ: 1,
      SSSE3: 9,
      FMA: 12,
      CX16: 13,
      PDCM: 15,
      PCID: 17,
      XMM4_1: 19,
      XMM4_2: 20,
      X2APIC: 21,
      MOVBE: 22,
      POPCNT: 23,
      TSC_DEADLINE_TIMER: 24,
      AES: 25,
      XSAVE: 26,
      AVX: 28,
      F16C: 29,
      RDRAND: 30,
      HYPERVISOR: 31,
    },
    emulated: ['X2APIC', 'TSC_DEADLINE_TIMER', 'HYPERVISOR'],
    added: { DTES64: 2, VMX: 5 },
  },
  '1.edx': {
    leaf: 1,
    subleaf: 0,
    register: 'edx',
    features: {
      FPU: 0,
      VME: 1,
      DE: 2,
      PSE: 3,
      TSC: 4,
      MSR: 5,
      PAE: 6,
      MCE: 7,
      CX8: 8,
      APIC: 9,
      SEP: 11,
      MTRR: 12,
      PGE: 13,
      MCA: 14,
      CMOV: 15,
      PAT: 16,
      PSE36: 17,
      CLFLUSH: 19,
      MMX: 23,
      FXSR: 24,
      XMM: 25,
      XMM2: 26,
      SELFSNOOP: 27,
    },
    added: { DS: 21 },
  },
  '7.0.ebx': {
    leaf: 7,
    subleaf: 0,
    register: 'ebx',
    features: {
      FSGSBASE: 0,
      TSC_ADJUST: 1,
      SGX: 2,
      BMI1: 3,
      HLE: 4,
      AVX2: 5,
      FDP_EXCPTN_ONLY: 6,
      SMEP: 7,
      BMI2: 8,
      ERMS: 9,
      INVPCID: 10,
      RTM: 11,
      ZERO_FCS_FDS: 13,
      AVX512F: 16,
      AVX512DQ: 17,
      RDSEED: 18,
      ADX: 19,
      SMAP: 20,
      AVX512IFMA: 21,
      CLFLUSHOPT: 23,
      CLWB: 24,
      AVX512PF: 26,
      AVX512ER: 27,
      AVX512CD: 28,
      SHA_NI: 29,
      AVX512BW: 30,
      AVX512VL: 31,
    },
    emulated: ['TSC_ADJUST'],
    added: { MPX: 14 },
  },
  '7.0.ecx': {
    leaf: 7,
    subleaf: 0,
    register: 'ecx',
    features: {
      AVX512VBMI: 1,
      UMIP: 2,
      PKU: 3,
      AVX512_VBMI2: 6,
      SHSTK: 7,
      GFNI: 8,
      VAES: 9,
      VPCLMULQDQ: 10,
      AVX512_VNNI: 11,
      AVX512_BITALG: 12,
      AVX512_VPOPCNTDQ: 14,
      LA57: 16,
      RDPID: 22,
      BUS_LOCK_DETECT: 24,
      CLDEMOTE: 25,
      MOVDIRI: 27,
      MOVDIR64B: 28,
      SGX_LC: 30,
    },
    added: { WAITPKG: 5 },
  },
  '7.0.edx': {
    leaf: 7,
    subleaf: 0,
    register: 'edx',
    features: {
      AVX512_4VNNIW: 2,
      AVX512_4FMAPS: 3,
      FSRM: 4,
      AVX512_VP2INTERSECT: 8,
      MD_CLEAR: 10,
      SERIALIZE: 14,
      TSXLDTRK: 16,
      IBT: 20,
      AMX_BF16: 22,
      AVX512_FP16: 23,
      AMX_TILE: 24,
      AMX_INT8: 25,
      SPEC_CTRL: 26,
      INTEL_STIBP: 27,
      FLUSH_L1D: 28,
      ARCH_CAPABILITIES: 29,
      SPEC_CTRL_SSBD: 31,
    },
    emulated: ['ARCH_CAPABILITIES'],
  },
  '7.1.eax': {
    leaf: 7,
    subleaf: 1,
    register: 'eax',
    features: {
      SHA512: 0,
      SM3: 1,
      SM4: 2,
      AVX_VNNI: 4,
      AVX512_BF16: 5,
      CMPCCXADD: 7,
      FZRM: 10,
      FSRS: 11,
      FSRC: 12,
      LKGS: 18,
      WRMSRNS: 19,
      AMX_FP16: 21,
      AVX_IFMA: 23,
      LAM: 26,
      MOVRS: 31,
    },
  },
  '7.1.ecx': { leaf: 7, subleaf: 1, register: 'ecx', features: { MSR_IMM: 5 } },
  '7.1.edx': {
    leaf: 7,
    subleaf: 1,
    register: 'edx',
    features: {
      AVX_VNNI_INT8: 4,
      AVX_NE_CONVERT: 5,
      AMX_COMPLEX: 8,
      AVX_VNNI_INT16: 10,
      PREFETCHITI: 14,
      AVX10: 19,
    },
  },
  '7.2.edx': {
    leaf: 7,
    subleaf: 2,
    register: 'edx',
    features: { INTEL_PSFD: 0, IPRED_CTRL: 1, RRSBA_CTRL: 2, DDPD_U: 3, BHI_CTRL: 4, MCDT_NO: 5 },
  },
  '0xd.1.eax': {
    leaf: 0xd,
    subleaf: 1,
    register: 'eax',
    features: { XSAVEOPT: 0, XSAVEC: 1, XGETBV1: 2, XSAVES: 3, XFD: 4 },
  },
  '0x12.0.eax': {
    leaf: 0x12,
    subleaf: 0,
    register: 'eax',
    features: { SGX1: 0, SGX2: 1, SGX_EDECCSSA: 11 },
  },
  '0x1e.1.eax': {
    leaf: 0x1e,
    subleaf: 1,
    register: 'eax',
    features: {
      AMX_INT8_ALIAS: 0,
      AMX_BF16_ALIAS: 1,
      AMX_COMPLEX_ALIAS: 2,
      AMX_FP16_ALIAS: 3,
      AMX_FP8: 4,
      AMX_TF32: 6,
      AMX_AVX512: 7,
      AMX_MOVRS: 8,
    },
  },
  '0x24.0.ebx': {
    leaf: 0x24,
    subleaf: 0,
    register: 'ebx',
    features: { AVX10_128: 16, AVX10_256: 17, AVX10_512: 18 },
  },
  '0x24.1.ecx': { leaf: 0x24, subleaf: 1, register: 'ecx', features: { AVX10_VNNI_INT: 2 } },
  '0x80000001.ecx': {
    leaf: 0x8000_0001,
    subleaf: 0,
    register: 'ecx',
    features: {
      LAHF_LM: 0,
      CMP_LEGACY: 1,
      CR8_LEGACY: 4,
      ABM: 5,
      SSE4A: 6,
      MISALIGNSSE: 7,
      '3DNOWPREFETCH': 8,
      OSVW: 9,
      XOP: 11,
      FMA4: 16,
      TBM: 21,
      TOPOEXT: 22,
    },
  },
  '0x80000001.edx': {
    leaf: 0x8000_0001,
    subleaf: 0,
    register: 'edx',
    // The bits that AMD has here once more are 0 on a CPU of Intel.
    features: { SYSCALL: 11, NX: 20, GBPAGES: 26, RDTSCP: 27, LM: 29 },
  },
  '0x80000007.edx': {
    leaf: 0x8000_0007,
    subleaf: 0,
    register: 'edx',
    features: { CONSTANT_TSC: 8 },
  },
  '0x80000008.ebx': {
    leaf: 0x8000_0008,
    subleaf: 0,
    register: 'ebx',
    features: { WBNOINVD: 9 },
    // AMD's bits for what a CPU of Intel has in SPEC_CTRL: the kernel knows one by the other.
    added: {
      AMD_IBPB: 12,
      AMD_IBRS: 14,
      AMD_STIBP: 15,
      AMD_SSBD: 24,
      AMD_SSB_NO: 26,
      AMD_IBPB_RET: 30,
    },
  },
} as const satisfies Readonly<Record<string, FeatureWord>>;

export type FeatureWordName = keyof typeof featureWords;

type NamesIn<Word> =
  | (Word extends { features: infer Features } ? keyof Features : never)
  | (Word extends { added: infer Added } ? keyof Added : never);

/** A feature by its name in the table. */
export type FeatureName = {
  [Name in FeatureWordName]: NamesIn<(typeof featureWords)[Name]>;
}[FeatureWordName];

interface Place {
  readonly word: FeatureWordName;
  readonly bit: number;
}

const places = new Map<string, Place>(
  Object.entries<FeatureWord>(featureWords).flatMap(([word, { features, added = {} }]) =>
    Object.entries({ ...features, ...added }).map(
      ([name, bit]) => [name, { word: word as FeatureWordName, bit }] as const,
    ),
  ),
);

export function placeOf(name: FeatureName): Place {
  const place = places.get(name);
  if (place === undefined) throw new Error(`no feature word has ${name}`);
  return place;
}

/**
 * What KVM_GET_MSR_INDEX_LIST and KVM_GET_MSR_FEATURE_INDEX_LIST have on an Intel CPU, in the kernel's
 * order. Left out is what RDMSR faults on there: AMD's, MPX, Processor Trace (which KVM keeps to
 * itself), and of the last branch records all but the last exception's, as the CPUs have the
 * architectural ones (not confirmed on hardware).
 * Source: msrs_to_save_base, _pmu and emulated_msrs_all in arch/x86/kvm/msrs.c, Linux 7.3.
 */

/** What KVM must have for guests for an MSR to be listed (kvm_probe_msr_to_save()). */
export type MsrCondition =
  | 'RDTSCP or RDPID'
  | 'WAITPKG'
  | 'XFD'
  | 'XSS'
  | 'SHSTK or IBT'
  | 'SHSTK'
  | 'TSX_CTRL';

export interface ListedMsrs {
  readonly indices: readonly number[];
  readonly needs?: MsrCondition;
}

export const msrsToSave: readonly ListedMsrs[] = [
  // SYSENTER_CS, _ESP, _EIP; STAR, CSTAR, KERNEL_GS_BASE, SYSCALL_MASK, LSTAR
  { indices: [0x174, 0x175, 0x176] },
  { indices: [0xc0000081, 0xc0000083, 0xc0000102, 0xc0000084, 0xc0000082] },
  // TSC, CR_PAT, FEAT_CTL
  { indices: [0x10, 0x277, 0x3a] },
  { indices: [0xc0000103], needs: 'RDTSCP or RDPID' },
  // SPEC_CTRL, TSX_CTRL
  { indices: [0x48] },
  { indices: [0x122], needs: 'TSX_CTRL' },
  // UMWAIT_CONTROL
  { indices: [0xe1], needs: 'WAITPKG' },
  // XFD, XFD_ERR; XSS
  { indices: [0x1c4, 0x1c5], needs: 'XFD' },
  { indices: [0xda0], needs: 'XSS' },
  // U_CET, S_CET; PL0_SSP to PL3_SSP, INT_SSP_TAB
  { indices: [0x6a0, 0x6a2], needs: 'SHSTK or IBT' },
  { indices: [0x6a4, 0x6a5, 0x6a6, 0x6a7, 0x6a8], needs: 'SHSTK' },
  // DEBUGCTL, LASTINTFROMIP, LASTINTTOIP
  { indices: [0x1d9, 0x1dd, 0x1de] },
];

/** A PMU adds these besides its counters: their control, GLOBAL_STATUS, GLOBAL_CTRL, PEBS, DS_AREA. */
export const pmuMsrs: readonly number[] = [0x38d, 0x38e, 0x38f, 0x3f1, 0x600, 0x3f2];

export const emulatedMsrs: readonly number[] = [
  // KVM's clocks
  0x12, 0x11, 0x4b564d01, 0x4b564d00,
  // Hyper-V
  0x40000000, 0x40000001, 0x40000020, 0x40000021, 0x40000022, 0x40000023, 0x40000100, 0x40000101,
  0x40000102, 0x40000103, 0x40000104, 0x40000105, 0x40000003, 0x40000002, 0x40000010, 0x40000080,
  0x400000b0, 0x40000073, 0x40000106, 0x40000107, 0x40000108, 0x40000118, 0x400000ff, 0x400000f1,
  0x400000f2, 0x400000f3, 0x400000f4, 0x400000f5,
  // KVM's asynchronous page faults, stolen time, end of interrupt
  0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d06, 0x4b564d07,
  // TSC_ADJUST, TSC_DEADLINE, ARCH_CAPABILITIES, PERF_CAPABILITIES, MISC_ENABLE
  0x3b, 0x6e0, 0x10a, 0x345, 0x1a0,
  // MCG_STATUS, MCG_CTL, MCG_EXT_CTL, SMBASE, SMI_COUNT, PLATFORM_INFO, MISC_FEATURES_ENABLES
  0x17a, 0x17b, 0x4d0, 0x9e, 0x34, 0xce, 0x140,
  // POWER_CTL, UCODE_REV
  0x1fc, 0x8b,
  // VMX: BASIC, the TRUE controls, MISC, CR0_FIXED0, CR4_FIXED0, VMCS_ENUM, PROCBASED_CTLS2, EPT, VMFUNC
  0x480,
  0x48d, 0x48e, 0x48f, 0x490, 0x485, 0x486, 0x488, 0x48a, 0x48b, 0x48c, 0x491,
  // HWCR, which KVM has on every CPU; KVM's POLL_CONTROL
  0xc0010015, 0x4b564d05,
];

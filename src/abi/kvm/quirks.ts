/** Bits of KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_x. Source: arch/x86/include/uapi/asm/kvm.h, Linux 7.3. */
export const quirks = {
  LINT0_REENABLED: 1n << 0n,
  MISC_ENABLE_NO_MWAIT: 1n << 4n,
  STUFF_FEATURE_MSRS: 1n << 8n,
} as const;

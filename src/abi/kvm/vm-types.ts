/** VM types of KVM_CREATE_VM. Source: arch/x86/include/uapi/asm/kvm.h, Linux 7.3. */
export const vmTypes = {
  KVM_X86_DEFAULT_VM: 0,
  KVM_X86_SW_PROTECTED_VM: 1,
  KVM_X86_SEV_VM: 2,
  KVM_X86_SEV_ES_VM: 3,
  KVM_X86_SNP_VM: 4,
  KVM_X86_TDX_VM: 5,
} as const;

export type VmTypeName = keyof typeof vmTypes;

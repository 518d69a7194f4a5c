/**
 * Structs of a vCPU's state that an ioctl moves whole, and their sizes in bytes.
 * Source: arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
 */
export const vcpuStateBytes = {
  KVM_GET_REGS: 144,
  KVM_SET_REGS: 144,
  KVM_GET_SREGS: 312,
  KVM_SET_SREGS: 312,
  KVM_GET_SREGS2: 320,
  KVM_SET_SREGS2: 320,
  KVM_GET_FPU: 416,
  KVM_SET_FPU: 416,
  KVM_GET_XSAVE: 4096,
  KVM_SET_XSAVE: 4096,
  /** At least: as much as the guest's features need (KVM_CAP_XSAVE2). */
  KVM_GET_XSAVE2: 4096,
  KVM_GET_XCRS: 392,
  KVM_SET_XCRS: 392,
  KVM_GET_LAPIC: 1024,
  KVM_SET_LAPIC: 1024,
  KVM_GET_DEBUGREGS: 128,
  KVM_SET_DEBUGREGS: 128,
  KVM_GET_VCPU_EVENTS: 64,
  KVM_SET_VCPU_EVENTS: 64,
  KVM_SET_GUEST_DEBUG: 72,
  /** Without the data that may follow. */
  KVM_GET_NESTED_STATE: 128,
  KVM_SET_NESTED_STATE: 128,
} as const;

export type VcpuStateRequestName = keyof typeof vcpuStateBytes;

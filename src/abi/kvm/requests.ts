/**
 * The ioctls tdctl speaks, by the kernel's own names, with the number each has on x86-64.
 * The TDX sub-commands travel inside KVM_MEMORY_ENCRYPT_OP and carry their sub-command id.
 * Source: include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
 */
export const ioctlNumbers = {
  KVM_GET_API_VERSION: 0xae00,
  KVM_CREATE_VM: 0xae01,
  KVM_CHECK_EXTENSION: 0xae03,
  KVM_GET_VCPU_MMAP_SIZE: 0xae04,
  KVM_GET_SUPPORTED_CPUID: 0xc008ae05,
  KVM_CREATE_VCPU: 0xae41,
  KVM_SET_USER_MEMORY_REGION: 0x4020ae46,
  KVM_SET_USER_MEMORY_REGION2: 0x40a0ae49,
  KVM_CREATE_IRQCHIP: 0xae60,
  KVM_SET_TSC_KHZ: 0xaea2,
  KVM_ENABLE_CAP: 0x4068aea3,
  KVM_MEMORY_ENCRYPT_OP: 0xc008aeba,
  KVM_SET_MEMORY_ATTRIBUTES: 0x4020aed2,
  KVM_CREATE_GUEST_MEMFD: 0xc040aed4,
  KVM_SET_CPUID2: 0x4008ae90,
  KVM_SET_BOOT_CPU_ID: 0xae78,
  KVM_RUN: 0xae80,
  KVM_PRE_FAULT_MEMORY: 0xc040aed5,
  // As posted with RFC v2 of linking guest_memfds, May 2025; in no kernel.
  KVM_LINK_GUEST_MEMFD: 0xc040aed6,
} as const;

/** Sub-command ids of KVM_MEMORY_ENCRYPT_OP. KVM_TDX_TERMINATE_VM is posted, not merged. */
export const tdxCommands = {
  KVM_TDX_CAPABILITIES: 0,
  KVM_TDX_INIT_VM: 1,
  KVM_TDX_INIT_VCPU: 2,
  KVM_TDX_INIT_MEM_REGION: 3,
  KVM_TDX_FINALIZE_VM: 4,
  KVM_TDX_GET_CPUID: 5,
  // Posted as the next enum value; the number was never fixed by a merge.
  KVM_TDX_TERMINATE_VM: 6,
} as const;

export type IoctlName = keyof typeof ioctlNumbers;
export type TdxCommandName = keyof typeof tdxCommands;
/** What an error names: an ioctl, or the TDX sub-command inside KVM_MEMORY_ENCRYPT_OP. */
export type RequestName = IoctlName | TdxCommandName;

/**
 * The ioctls that are known, by the kernel's own names, with the number each has on x86-64.
 * The TDX sub-commands travel inside KVM_MEMORY_ENCRYPT_OP and carry their sub-command id.
 * Source: include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
 */
export const ioctlNumbers = {
  // /dev/kvm
  KVM_GET_API_VERSION: 0xae00,
  KVM_CREATE_VM: 0xae01,
  KVM_GET_MSR_INDEX_LIST: 0xc004ae02,
  KVM_CHECK_EXTENSION: 0xae03,
  KVM_GET_VCPU_MMAP_SIZE: 0xae04,
  KVM_GET_SUPPORTED_CPUID: 0xc008ae05,
  KVM_GET_EMULATED_CPUID: 0xc008ae09,
  KVM_GET_MSR_FEATURE_INDEX_LIST: 0xc004ae0a,
  KVM_X86_GET_MCE_CAP_SUPPORTED: 0x8008ae9d,
  // /dev/kvm and a vCPU
  KVM_GET_MSRS: 0xc008ae88,
  KVM_SET_MSRS: 0x4008ae89,
  KVM_SET_DEVICE_ATTR: 0x4018aee1,
  KVM_GET_DEVICE_ATTR: 0x4018aee2,
  KVM_HAS_DEVICE_ATTR: 0x4018aee3,
  // a VM
  KVM_CREATE_VCPU: 0xae41,
  KVM_GET_DIRTY_LOG: 0x4010ae42,
  KVM_SET_NR_MMU_PAGES: 0xae44,
  KVM_SET_USER_MEMORY_REGION: 0x4020ae46,
  KVM_SET_TSS_ADDR: 0xae47,
  KVM_SET_IDENTITY_MAP_ADDR: 0x4008ae48,
  KVM_SET_USER_MEMORY_REGION2: 0x40a0ae49,
  KVM_CREATE_IRQCHIP: 0xae60,
  KVM_IRQ_LINE: 0x4008ae61,
  KVM_GET_IRQCHIP: 0xc208ae62,
  KVM_SET_IRQCHIP: 0x8208ae63,
  KVM_CREATE_PIT: 0xae64,
  KVM_IRQ_LINE_STATUS: 0xc008ae67,
  KVM_REGISTER_COALESCED_MMIO: 0x4010ae67,
  KVM_UNREGISTER_COALESCED_MMIO: 0x4010ae68,
  KVM_SET_GSI_ROUTING: 0x4008ae6a,
  KVM_IRQFD: 0x4020ae76,
  KVM_CREATE_PIT2: 0x4040ae77,
  KVM_SET_BOOT_CPU_ID: 0xae78,
  KVM_IOEVENTFD: 0x4040ae79,
  KVM_SET_CLOCK: 0x4030ae7b,
  KVM_GET_CLOCK: 0x8030ae7c,
  KVM_SIGNAL_MSI: 0x4020aea5,
  KVM_MEMORY_ENCRYPT_REG_REGION: 0x8010aebb,
  KVM_MEMORY_ENCRYPT_UNREG_REGION: 0x8010aebc,
  KVM_CLEAR_DIRTY_LOG: 0xc018aec0,
  KVM_X86_SET_MSR_FILTER: 0x4188aec6,
  KVM_SET_MEMORY_ATTRIBUTES: 0x4020aed2,
  KVM_CREATE_GUEST_MEMFD: 0xc040aed4,
  KVM_CREATE_DEVICE: 0xc00caee0,
  // a VM and a vCPU
  KVM_SET_TSC_KHZ: 0xaea2,
  KVM_GET_TSC_KHZ: 0xaea3,
  KVM_ENABLE_CAP: 0x4068aea3,
  KVM_MEMORY_ENCRYPT_OP: 0xc008aeba,
  KVM_GET_STATS_FD: 0xaece,
  // a vCPU
  KVM_RUN: 0xae80,
  KVM_GET_REGS: 0x8090ae81,
  KVM_SET_REGS: 0x4090ae82,
  KVM_GET_SREGS: 0x8138ae83,
  KVM_SET_SREGS: 0x4138ae84,
  KVM_INTERRUPT: 0x4004ae86,
  KVM_SET_SIGNAL_MASK: 0x4004ae8b,
  KVM_GET_FPU: 0x81a0ae8c,
  KVM_SET_FPU: 0x41a0ae8d,
  KVM_GET_LAPIC: 0x8400ae8e,
  KVM_SET_LAPIC: 0x4400ae8f,
  KVM_SET_CPUID2: 0x4008ae90,
  KVM_GET_CPUID2: 0xc008ae91,
  KVM_TPR_ACCESS_REPORTING: 0xc028ae92,
  KVM_SET_VAPIC_ADDR: 0x4008ae93,
  KVM_GET_MP_STATE: 0x8004ae98,
  KVM_SET_MP_STATE: 0x4004ae99,
  KVM_NMI: 0xae9a,
  KVM_SET_GUEST_DEBUG: 0x4048ae9b,
  KVM_X86_SETUP_MCE: 0x4008ae9c,
  KVM_GET_VCPU_EVENTS: 0x8040ae9f,
  KVM_SET_VCPU_EVENTS: 0x4040aea0,
  KVM_GET_DEBUGREGS: 0x8080aea1,
  KVM_SET_DEBUGREGS: 0x4080aea2,
  KVM_GET_XSAVE: 0x9000aea4,
  KVM_SET_XSAVE: 0x5000aea5,
  KVM_GET_XCRS: 0x8188aea6,
  KVM_SET_XCRS: 0x4188aea7,
  KVM_KVMCLOCK_CTRL: 0xaead,
  KVM_SMI: 0xaeb7,
  KVM_GET_NESTED_STATE: 0xc080aebe,
  KVM_SET_NESTED_STATE: 0x4080aebf,
  KVM_GET_SREGS2: 0x8140aecc,
  KVM_SET_SREGS2: 0x4140aecd,
  KVM_GET_XSAVE2: 0x9000aecf,
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
/** A system call on a file of KVM's that is no ioctl. */
export type FileCallName = 'fallocate';
/** What an error names: an ioctl, or the TDX sub-command inside KVM_MEMORY_ENCRYPT_OP. */
export type RequestName = IoctlName | TdxCommandName | FileCallName;

/** `KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)`: a request that names a capability is called by both. */
export function requestWith(request: string, capability: string | undefined): string {
  return capability === undefined ? request : `${request}(${capability})`;
}

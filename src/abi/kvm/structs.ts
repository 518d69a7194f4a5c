/** Values of KVM structs as plain data. Field names follow the kernel's, units are in the names. */

/** `struct kvm_cpuid_entry2`. Every register is an unsigned 32-bit number. */
export interface CpuidEntry {
  readonly function: number;
  readonly index: number;
  /** Bit 0: KVM_CPUID_FLAG_SIGNIFCANT_INDEX (the kernel's own spelling). */
  readonly flags: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;
/** KVM_MAX_CPUID_ENTRIES: more than this in one call is E2BIG. */
export const KVM_MAX_CPUID_ENTRIES = 256;
/** Those that struct kvm_tdx_init_vm of the series up to v9 has room for: 40 bytes each, to 16384. */
export const fixedInitVmEntries = 405;

/** No process has this fd open: the kernel reads the argument as an int. */
export const NO_FD = 0xffff_ffffn;

/** The pins of an I/O APIC: so many routes a VMM asks of KVM_CAP_SPLIT_IRQCHIP, as QEMU does. */
export const KVM_IOAPIC_NUM_PINS = 24n;

/** Flags of KVM_SET_USER_MEMORY_REGION2. */
export const KVM_MEM_READONLY = 2;
export const KVM_MEM_GUEST_MEMFD = 4;
/** The one attribute of KVM_SET_MEMORY_ATTRIBUTES. */
export const KVM_MEMORY_ATTRIBUTE_PRIVATE = 8n;
/** The one flag of KVM_TDX_INIT_MEM_REGION. */
export const KVM_TDX_MEASURE_MEMORY_REGION = 1;

export const PAGE_SIZE = 4096n;

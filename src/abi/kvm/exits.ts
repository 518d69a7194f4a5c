/** `exit_reason` of `struct kvm_run`. Source: include/uapi/linux/kvm.h, Linux 7.3. */
export const exitReasons = {
  KVM_EXIT_UNKNOWN: 0,
  KVM_EXIT_IO: 2,
  KVM_EXIT_HYPERCALL: 3,
  KVM_EXIT_DEBUG: 4,
  KVM_EXIT_HLT: 5,
  KVM_EXIT_MMIO: 6,
  KVM_EXIT_SHUTDOWN: 8,
  KVM_EXIT_FAIL_ENTRY: 9,
  KVM_EXIT_INTR: 10,
  KVM_EXIT_INTERNAL_ERROR: 17,
  KVM_EXIT_SYSTEM_EVENT: 24,
  KVM_EXIT_MEMORY_FAULT: 39,
  KVM_EXIT_TDX: 40,
} as const;

/** `io.direction`. */
export const KVM_EXIT_IO_IN = 0;
export const KVM_EXIT_IO_OUT = 1;

/** `memory_fault.flags`: the guest touched the memory as private. The only flag there is. */
export const KVM_MEMORY_EXIT_FLAG_PRIVATE = 1n << 3n;

/** `system_event.type`: a TD gives up, and `data` has its registers. */
export const KVM_SYSTEM_EVENT_TDX_FATAL = 7;

/** `hypercall.nr`, and the bit in its third argument. Source: include/uapi/linux/kvm_para.h. */
export const KVM_HC_MAP_GPA_RANGE = 12n;
export const KVM_MAP_GPA_RANGE_ENCRYPTED = 1n << 4n;

const PAGE_BYTES = 4096;
const ENTRY_BYTES = 8;

/**
 * Bytes of the PID-pointer table that KVM allocates for a plain VM at its first KVM_CREATE_VCPU: 8
 * per possible vCPU id, rounded up to a power of two of pages. A TD has none.
 * Source: arch/x86/kvm/vmx/vmx.c, vmx_alloc_ipiv_pid_table(), and vmx/main.c, vt_vcpu_precreate().
 */
export function pidTableBytes(maxVcpuIds: number): number {
  const pages = Math.max(1, Math.ceil((maxVcpuIds * ENTRY_BYTES) / PAGE_BYTES));
  return PAGE_BYTES * 2 ** Math.ceil(Math.log2(pages));
}

/** Numbers of the kernel's own build. Source: Linux 7.3, arch/x86/include/asm/kvm_host.h. */
export const KVM_API_VERSION = 12;
/** Three pages: kvm_run, pio data, coalesced MMIO. */
export const vcpuMmapBytes = 12288;
export const KVM_VCPU_ID_RATIO = 4;
export const KVM_USER_MEM_SLOTS = 32764;
/** Slots of user space and the three of KVM itself. */
export const KVM_MEM_SLOTS_NUM = KVM_USER_MEM_SLOTS + 3;
export const KVM_MAX_IRQ_ROUTES = 4096;
/** MAX_VCPU_ID and the bound of a vCPU id. */
export function maxVcpuIds(kvmMaxVcpus: number): number {
  return KVM_VCPU_ID_RATIO * kvmMaxVcpus;
}
/** With TSC scaling (48 fraction bits) every real clock reaches the s32 bound. */
export const maxGuestTscKhz = 0x7fff_ffff;

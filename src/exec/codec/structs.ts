/**
 * The structs that ioctls take by pointer, by the kernel's names, with the field names of the
 * simulator's interface. Padding that nobody looks at has no field. Sources: kernel-abi 1.3;
 * include/uapi/linux/kvm.h and arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
 */
import { Layout } from './layout.ts';

export const structs = {
  kvm_cpuid_entry2: new Layout(40, {
    function: [0, 'u32'],
    index: [4, 'u32'],
    flags: [8, 'u32'],
    eax: [12, 'u32'],
    ebx: [16, 'u32'],
    ecx: [20, 'u32'],
    edx: [24, 'u32'],
  }),
  /** The entries follow. */
  kvm_cpuid2: new Layout(8, {
    nent: [0, 'u32'],
    padding: [4, 'u32'],
  }),
  kvm_enable_cap: new Layout(104, {
    cap: [0, 'u32'],
    flags: [4, 'u32'],
    args: [8, 'u64', 4],
  }),
  kvm_userspace_memory_region: new Layout(32, {
    slot: [0, 'u32'],
    flags: [4, 'u32'],
    guestPhysAddr: [8, 'u64'],
    memorySize: [16, 'u64'],
    userspaceAddr: [24, 'u64'],
  }),
  kvm_userspace_memory_region2: new Layout(160, {
    slot: [0, 'u32'],
    flags: [4, 'u32'],
    guestPhysAddr: [8, 'u64'],
    memorySize: [16, 'u64'],
    userspaceAddr: [24, 'u64'],
    guestMemfdOffset: [32, 'u64'],
    guestMemfd: [40, 'u32'],
  }),
  kvm_create_guest_memfd: new Layout(64, {
    size: [0, 'u64'],
    flags: [8, 'u64'],
  }),
  /** Proposed: RFC v2 of linking guest_memfds, May 2025, 04/13. */
  kvm_link_guest_memfd: new Layout(64, {
    fd: [0, 'u64'],
    flags: [8, 'u64'],
  }),
  kvm_memory_attributes: new Layout(32, {
    address: [0, 'u64'],
    size: [8, 'u64'],
    attributes: [16, 'u64'],
    flags: [24, 'u64'],
  }),
  kvm_pre_fault_memory: new Layout(64, {
    gpa: [0, 'u64'],
    size: [8, 'u64'],
    flags: [16, 'u64'],
  }),
  kvm_tdx_cmd: new Layout(24, {
    id: [0, 'u32'],
    flags: [4, 'u32'],
    data: [8, 'u64'],
    hwError: [16, 'u64'],
  }),
  /** The entries follow. */
  kvm_tdx_capabilities: new Layout(2056, {
    supportedAttributes: [0, 'u64'],
    supportedXfam: [8, 'u64'],
    userTdvmcallInfo1R11: [24, 'u64'],
    nent: [2048, 'u32'],
    padding: [2052, 'u32'],
  }),
  /** The entries follow. */
  kvm_tdx_init_vm: new Layout(264, {
    attributes: [0, 'u64'],
    xfam: [8, 'u64'],
    mrConfigId: [16, 'bytes', 48],
    mrOwner: [64, 'bytes', 48],
    mrOwnerConfig: [112, 'bytes', 48],
    reserved: [160, 'u64', 12],
    nent: [256, 'u32'],
    padding: [260, 'u32'],
  }),
  kvm_tdx_init_mem_region: new Layout(24, {
    sourceAddr: [0, 'u64'],
    gpa: [8, 'u64'],
    nrPages: [16, 'u64'],
  }),
} as const;

/**
 * `struct kvm_tdx_init_vm` of the patch series v7 to v9 (June to October 2022; v7 025/102 and its
 * successors): max_vcpus, no xfam, and the entries inside its 16384 bytes.
 */
export const fixedSizeInitVm = {
  bytes: 16384,
  /** The entries follow. */
  header: new Layout(168, {
    attributes: [0, 'u64'],
    maxVcpus: [8, 'u32'],
    mrConfigId: [16, 'bytes', 48],
    mrOwner: [64, 'bytes', 48],
    mrOwnerConfig: [112, 'bytes', 48],
    nent: [160, 'u32'],
    padding: [164, 'u32'],
  }),
} as const;

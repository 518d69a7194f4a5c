/**
 * The structs that ioctls take by pointer, by the kernel's names, with the field names of the
 * simulator's interface. Padding that nobody looks at has no field. Where entries follow a struct, only
 * its header stands here. Sources: include/uapi/linux/kvm.h and
 * arch/x86/include/uapi/asm/kvm.h, Linux 7.3.
 */
import { Layout } from './layout.ts';

export const structs = {
  // --- CPUID and MSRs ---
  kvm_cpuid_entry2: new Layout(40, {
    function: [0, 'u32'],
    index: [4, 'u32'],
    flags: [8, 'u32'],
    eax: [12, 'u32'],
    ebx: [16, 'u32'],
    ecx: [20, 'u32'],
    edx: [24, 'u32'],
  }),
  /** The part of an entry that is not used. */
  kvm_cpuid_entry2_padding: new Layout(40, {
    words: [28, 'u32', 3],
  }),
  kvm_cpuid2: new Layout(8, {
    nent: [0, 'u32'],
    padding: [4, 'u32'],
  }),
  kvm_msr_list: new Layout(4, {
    count: [0, 'u32'],
  }),
  kvm_msrs: new Layout(8, {
    count: [0, 'u32'],
  }),
  kvm_msr_entry: new Layout(16, {
    index: [0, 'u32'],
    data: [8, 'u64'],
  }),
  /** 16 ranges of kvm_msr_filter_range begin at byte 8. */
  kvm_msr_filter: new Layout(392, {
    flags: [0, 'u32'],
  }),
  kvm_msr_filter_range: new Layout(24, {
    flags: [0, 'u32'],
    nmsrs: [4, 'u32'],
    base: [8, 'u32'],
    bitmap: [16, 'u64'],
  }),

  // --- the VM ---
  kvm_enable_cap: new Layout(104, {
    cap: [0, 'u32'],
    flags: [4, 'u32'],
    args: [8, 'u64', 4],
  }),
  kvm_device_attr: new Layout(24, {
    flags: [0, 'u32'],
    group: [4, 'u32'],
    attr: [8, 'u64'],
    addr: [16, 'u64'],
  }),
  kvm_clock_data: new Layout(48, {
    clock: [0, 'u64'],
    flags: [8, 'u32'],
    realtime: [16, 'u64'],
    hostTsc: [24, 'u64'],
  }),

  // --- memory ---
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
  /** RFC v2 of linking guest_memfds proposes it (May 2025, patch 04/13). */
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
  kvm_dirty_log: new Layout(16, {
    slot: [0, 'u32'],
    dirtyBitmap: [8, 'u64'],
  }),
  kvm_clear_dirty_log: new Layout(24, {
    slot: [0, 'u32'],
    numPages: [4, 'u32'],
    firstPage: [8, 'u64'],
    dirtyBitmap: [16, 'u64'],
  }),
  kvm_enc_region: new Layout(16, {
    addr: [0, 'u64'],
    size: [8, 'u64'],
  }),

  // --- interrupts and the buses ---
  kvm_irqfd: new Layout(32, {
    fd: [0, 'u32'],
    gsi: [4, 'u32'],
    flags: [8, 'u32'],
    resamplefd: [12, 'u32'],
  }),
  kvm_ioeventfd: new Layout(64, {
    datamatch: [0, 'u64'],
    addr: [8, 'u64'],
    len: [16, 'u32'],
    fd: [20, 'u32'],
    flags: [24, 'u32'],
  }),
  kvm_irq_routing: new Layout(8, {
    nr: [0, 'u32'],
    flags: [4, 'u32'],
  }),
  kvm_irq_routing_entry: new Layout(48, {
    gsi: [0, 'u32'],
    type: [4, 'u32'],
    flags: [8, 'u32'],
    word0: [16, 'u32'],
    word1: [20, 'u32'],
    word2: [24, 'u32'],
    word3: [28, 'u32'],
  }),
  kvm_msi: new Layout(32, {
    addressLo: [0, 'u32'],
    addressHi: [4, 'u32'],
    data: [8, 'u32'],
    flags: [12, 'u32'],
    devid: [16, 'u32'],
  }),
  kvm_irq_level: new Layout(8, {
    irq: [0, 'u32'],
    level: [4, 'u32'],
  }),
  kvm_coalesced_mmio_zone: new Layout(16, {
    addr: [0, 'u64'],
    size: [8, 'u32'],
    pio: [12, 'u32'],
  }),
  kvm_create_device: new Layout(12, {
    type: [0, 'u32'],
    fd: [4, 'u32'],
    flags: [8, 'u32'],
  }),
  kvm_pit_config: new Layout(64, {
    flags: [0, 'u32'],
  }),

  // --- a vCPU ---
  kvm_tpr_access_ctl: new Layout(40, {
    enabled: [0, 'u32'],
    flags: [4, 'u32'],
  }),
  /** The set of signals follows the header. */
  kvm_signal_mask: new Layout(4, {
    len: [0, 'u32'],
  }),

  // --- TDX ---
  kvm_tdx_cmd: new Layout(24, {
    id: [0, 'u32'],
    flags: [4, 'u32'],
    data: [8, 'u64'],
    hwError: [16, 'u64'],
  }),
  kvm_tdx_capabilities: new Layout(2056, {
    supportedAttributes: [0, 'u64'],
    supportedXfam: [8, 'u64'],
    userTdvmcallInfo1R11: [24, 'u64'],
    nent: [2048, 'u32'],
    padding: [2052, 'u32'],
  }),
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
 * successors) has max_vcpus, has no xfam, and holds the entries inside its 16384 bytes.
 */
export const fixedSizeInitVm = {
  bytes: 16384,
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

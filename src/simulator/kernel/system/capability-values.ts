/**
 * KVM_CHECK_EXTENSION gives these answers on an Intel host with EPT and a kernel as a distribution
 * builds it, with CONFIG_KVM_SMM, KVM_XEN, KVM_HYPERV, KVM_IOAPIC, X86_SGX_KVM and SCHEDSTATS. Source:
 * kvm_vm_ioctl_check_extension() and its generic half, Linux 7.3.
 */
import type { CapabilityName } from '../../../abi/kvm/capabilities.ts';
import { findEntry } from '../../../abi/kvm/cpuid.ts';
import { KVM_MEMORY_ATTRIBUTE_PRIVATE } from '../../../abi/kvm/structs.ts';
import { vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import { vmTypes } from '../../../abi/kvm/vm-types.ts';
import { onlineCpus } from '../../platform.ts';
import { supportedCpuid } from '../cpuid/supported.ts';
import type { Kernel } from '../kernel.ts';
import {
  KVM_MAX_IRQ_ROUTES,
  KVM_MAX_MCE_BANKS,
  KVM_USER_MEM_SLOTS,
  leastBound,
  maxDirtyRingBytes,
  maxVcpuIds,
} from '../limits.ts';
import type { Vm } from '../objects.ts';

type Value = number | ((kernel: Kernel, vm: Vm | undefined) => number);
/**
 * The value is the same everywhere, or differs between /dev/kvm, the fd of a default VM and that of a
 * TD.
 */
export type CapabilityValue = Value | readonly [system: Value, defaultVm: Value, td: Value];

const feature =
  (name: keyof Kernel['profile']['platform']['features'], value = 1) =>
  (kernel: Kernel) =>
    kernel.profile.platform.features[name] ? value : 0;

const kvmMaxVcpus = (kernel: Kernel) => kernel.profile.kvmMaxVcpus;
const maxVcpusOfVm = (kernel: Kernel, vm: Vm | undefined) => vm?.maxVcpus ?? kvmMaxVcpus(kernel);

/** KVM has the attribute in one place: on the VM, or on each guest_memfd. */
function privateAttributeOf(
  { abi }: Kernel,
  place: Kernel['abi']['memory']['attributesOf'],
): number {
  return abi.memory.attributesOf === place ? Number(KVM_MEMORY_ATTRIBUTE_PRIVATE) : 0;
}

/** Kernels differ in which limits the fd of a TD shows, so the kernel's record names them. */
function maxVcpusOfTd(kernel: Kernel, vm: Vm | undefined): number {
  let least = Number.POSITIVE_INFINITY;
  for (const bound of kernel.abi.maxVcpus.checkExtensionOfTd) {
    const value =
      bound === 'kvm->max_vcpus' ? maxVcpusOfVm(kernel, vm) : leastBound(kernel, [bound]);
    least = Math.min(least, value);
  }
  return least;
}

/**
 * The buffer has room for the XSAVE area of all that a guest can have, and is never smaller than the
 * old struct.
 */
export function xsaveBytes({ profile }: Kernel): number {
  const leaf = findEntry(supportedCpuid(profile.platform), 0xd);
  return Math.max(vcpuStateBytes.KVM_GET_XSAVE, leaf?.ecx ?? 0);
}

/** The mask has a bit for each type that KVM_CREATE_VM takes. */
export function supportedVmTypes(kernel: Kernel): number {
  const td = kernel.tdx === undefined ? 0 : 1 << vmTypes.KVM_X86_TDX_VM;
  return (1 << vmTypes.KVM_X86_DEFAULT_VM) | td;
}

/** KVM_ENABLE_CAP takes these bits of the capabilities that it checks bit by bit. */
export const capabilityMasks = {
  /** KVM_SYNC_X86_REGS, SREGS and EVENTS. */
  syncedRegs: 7,
  /** The bits are ENABLE and INITIALLY_SET. */
  manualDirtyLog: 3,
  /** The only bit is that of KVM_HC_MAP_GPA_RANGE. */
  hypercallsThatExit: 0x1000,
} as const;

export const capabilityValues: Readonly<Record<CapabilityName, CapabilityValue>> = {
  // The following capabilities concern vCPUs and limits.
  KVM_CAP_NR_VCPUS: (kernel) =>
    Math.min(onlineCpus(kernel.profile.platform), kernel.profile.kvmMaxVcpus),
  KVM_CAP_MAX_VCPUS: [kvmMaxVcpus, maxVcpusOfVm, maxVcpusOfTd],
  KVM_CAP_MAX_VCPU_ID: (kernel) => maxVcpuIds(kernel.profile.kvmMaxVcpus),
  KVM_CAP_SET_BOOT_CPU_ID: 1,
  KVM_CAP_MP_STATE: 1,
  KVM_CAP_IMMEDIATE_EXIT: 1,
  KVM_CAP_HLT: 1,
  KVM_CAP_HALT_POLL: 1,

  // The following capabilities concern memory.
  KVM_CAP_USER_MEMORY: 1,
  KVM_CAP_USER_MEMORY2: 1,
  KVM_CAP_NR_MEMSLOTS: KVM_USER_MEM_SLOTS,
  KVM_CAP_MULTI_ADDRESS_SPACE: [2, 2, 1],
  KVM_CAP_READONLY_MEM: [1, 1, 0],
  KVM_CAP_DESTROY_MEMORY_REGION_WORKS: 1,
  KVM_CAP_JOIN_MEMORY_REGIONS_WORKS: 1,
  KVM_CAP_SYNC_MMU: 1,
  KVM_CAP_MMU_SHADOW_CACHE_CONTROL: 1,
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: capabilityMasks.manualDirtyLog,
  KVM_CAP_DIRTY_LOG_RING: maxDirtyRingBytes,
  KVM_CAP_DIRTY_LOG_RING_ACQ_REL: maxDirtyRingBytes,
  // On /dev/kvm the answer is that of a VM with private memory, whether KVM offers any or not.
  KVM_CAP_MEMORY_ATTRIBUTES: [
    (kernel) => privateAttributeOf(kernel, 'the VM'),
    0,
    (kernel) => privateAttributeOf(kernel, 'the VM'),
  ],
  KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES: [
    (kernel) => privateAttributeOf(kernel, 'each guest_memfd'),
    0,
    (kernel) => privateAttributeOf(kernel, 'each guest_memfd'),
  ],
  KVM_CAP_GUEST_MEMFD: 1,
  // The bits are MMAP and INIT_SHARED. Private memory can be shared at first where a file holds both.
  KVM_CAP_GUEST_MEMFD_FLAGS: [3, 3, ({ abi }) => (abi.memory.attributesOf === 'the VM' ? 1 : 3)],
  KVM_CAP_PRE_FAULT_MEMORY: 1,
  KVM_CAP_MEMORY_FAULT_INFO: 1,
  KVM_CAP_SET_TSS_ADDR: 1,
  KVM_CAP_SET_IDENTITY_MAP_ADDR: 1,
  KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: 1,

  // The following capabilities concern interrupts and devices.
  KVM_CAP_IRQCHIP: 1,
  KVM_CAP_SPLIT_IRQCHIP: 1,
  KVM_CAP_IRQ_ROUTING: KVM_MAX_IRQ_ROUTES,
  KVM_CAP_IRQ_INJECT_STATUS: 1,
  KVM_CAP_IRQFD: 1,
  KVM_CAP_IRQFD_RESAMPLE: 1,
  KVM_CAP_IOEVENTFD: 1,
  KVM_CAP_IOEVENTFD_NO_LENGTH: 1,
  KVM_CAP_IOEVENTFD_ANY_LENGTH: 1,
  KVM_CAP_SIGNAL_MSI: 1,
  KVM_CAP_IOAPIC_POLARITY_IGNORED: 1,
  KVM_CAP_PIT: 1,
  KVM_CAP_PIT2: 1,
  KVM_CAP_PIT_STATE2: 1,
  KVM_CAP_REINJECT_CONTROL: 1,
  KVM_CAP_PCI_SEGMENT: 1,
  KVM_CAP_NOP_IO_DELAY: 1,
  KVM_CAP_DEVICE_CTRL: 1,
  // The value is the page of the vCPU's mapping that has the ring.
  KVM_CAP_COALESCED_MMIO: 2,
  KVM_CAP_COALESCED_PIO: 1,

  // The following capabilities concern the local APIC.
  KVM_CAP_VAPIC: 1,
  KVM_CAP_USER_NMI: 1,
  KVM_CAP_TSC_DEADLINE_TIMER: 1,
  // Bit 2 (ENABLE_SUPPRESS_EOI_BROADCAST) needs a split irqchip.
  KVM_CAP_X2APIC_API: (_kernel, vm) => (vm === undefined || vm.irqchip === 'split' ? 15 : 11),
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: (_kernel, vm) =>
    vm === undefined ? 1 : Number(vm.caps.apicBusCyclesNs),

  // The following capabilities concern clocks.
  KVM_CAP_CLOCKSOURCE: 1,
  // The bits are TSC_STABLE, REALTIME and HOST_TSC.
  KVM_CAP_ADJUST_CLOCK: 14,
  KVM_CAP_KVMCLOCK_CTRL: 1,
  KVM_CAP_GET_TSC_KHZ: 1,
  KVM_CAP_TSC_CONTROL: feature('tscScaling'),
  KVM_CAP_VM_TSC_CONTROL: feature('tscScaling'),

  // The following capabilities concern CPUID, MSRs and the state of a vCPU.
  KVM_CAP_EXT_CPUID: 1,
  KVM_CAP_EXT_EMUL_CPUID: 1,
  KVM_CAP_ENFORCE_PV_FEATURE_CPUID: 1,
  KVM_CAP_GET_MSR_FEATURES: 1,
  KVM_CAP_MSR_PLATFORM_INFO: 1,
  KVM_CAP_X86_USER_SPACE_MSR: 1,
  KVM_CAP_X86_MSR_FILTER: 1,
  KVM_CAP_ONE_REG: 1,
  KVM_CAP_SYNC_REGS: [capabilityMasks.syncedRegs, capabilityMasks.syncedRegs, 0],
  KVM_CAP_SREGS2: 1,
  KVM_CAP_XSAVE: 1,
  KVM_CAP_XSAVE2: xsaveBytes,
  KVM_CAP_XCRS: 1,
  KVM_CAP_DEBUGREGS: 1,
  KVM_CAP_VCPU_EVENTS: 1,
  KVM_CAP_VCPU_ATTRIBUTES: 1,
  KVM_CAP_SYS_ATTRIBUTES: 1,
  // The size is that of the header and of two VMCS of a page each.
  KVM_CAP_NESTED_STATE: vcpuStateBytes.KVM_GET_NESTED_STATE + 2 * 4096,
  KVM_CAP_SET_GUEST_DEBUG: 1,
  // The bits are ENABLE, SINGLESTEP, USE_SW_BP, USE_HW_BP, INJECT_DB, INJECT_BP and BLOCKIRQ.
  KVM_CAP_SET_GUEST_DEBUG2: 0x1f0003,
  KVM_CAP_X86_ROBUST_SINGLESTEP: 1,
  KVM_CAP_EXCEPTION_PAYLOAD: 1,
  KVM_CAP_X86_TRIPLE_FAULT_EVENT: 1,
  KVM_CAP_MCE: KVM_MAX_MCE_BANKS,

  // The following capabilities concern exits and what the guest may do.
  KVM_CAP_EXIT_HYPERCALL: capabilityMasks.hypercallsThatExit,
  KVM_CAP_EXIT_ON_EMULATION_FAILURE: 1,
  KVM_CAP_INTERNAL_ERROR_DATA: 1,
  KVM_CAP_SYSTEM_EVENT_DATA: 1,
  // The bits are MWAIT, HLT, PAUSE, CSTATE and APERFMPERF.
  KVM_CAP_X86_DISABLE_EXITS: 31,
  KVM_CAP_X86_BUS_LOCK_EXIT: feature('busLockDetection', 3),
  KVM_CAP_X86_NOTIFY_VMEXIT: feature('notifyVmExit'),
  KVM_CAP_X86_GUEST_MODE: 1,
  KVM_CAP_X86_SMM: [1, 1, 0],
  KVM_CAP_ASYNC_PF: 1,
  KVM_CAP_ASYNC_PF_INT: 1,
  KVM_CAP_STEAL_TIME: 1,
  KVM_CAP_LAST_CPU: 1,
  KVM_CAP_SGX_ATTRIBUTE: 1,
  KVM_CAP_DISABLE_QUIRKS: 1,
  KVM_CAP_DISABLE_QUIRKS2: 0xfff,

  // The following capabilities concern the PMU.
  KVM_CAP_PMU_CAPABILITY: feature('pmu'),
  KVM_CAP_PMU_EVENT_FILTER: 1,
  KVM_CAP_PMU_EVENT_MASKED_EVENTS: 1,

  // The following capabilities are the interfaces of other hypervisors.
  KVM_CAP_XEN_HVM: 0x1ff,
  KVM_CAP_HYPERV: 1,
  KVM_CAP_HYPERV_VAPIC: 1,
  KVM_CAP_HYPERV_SPIN: 1,
  KVM_CAP_HYPERV_TIME: 1,
  KVM_CAP_HYPERV_SYNIC: 1,
  KVM_CAP_HYPERV_SYNIC2: 1,
  KVM_CAP_HYPERV_VP_INDEX: 1,
  KVM_CAP_HYPERV_EVENTFD: 1,
  KVM_CAP_HYPERV_TLBFLUSH: 1,
  KVM_CAP_HYPERV_SEND_IPI: 1,
  KVM_CAP_HYPERV_CPUID: 1,
  KVM_CAP_HYPERV_ENFORCE_CPUID: 1,
  KVM_CAP_HYPERV_ENLIGHTENED_VMCS: 1,
  KVM_CAP_SYS_HYPERV_CPUID: 1,

  // The following capabilities concern the interface itself.
  KVM_CAP_VM_TYPES: supportedVmTypes,
  KVM_CAP_ENABLE_CAP: 1,
  KVM_CAP_ENABLE_CAP_VM: 1,
  KVM_CAP_CHECK_EXTENSION_VM: 1,
  KVM_CAP_BINARY_STATS_FD: 1,
  // The answers are 1 on Intel too, although enabling these capabilities fails with EINVAL there.
  KVM_CAP_VM_COPY_ENC_CONTEXT_FROM: 1,
  KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: 1,
};

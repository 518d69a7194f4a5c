/** KVM_CHECK_EXTENSION (kernel-abi 7.2). An unknown capability is 0. */
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import { KVM_MEMORY_ATTRIBUTE_PRIVATE } from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import { onlineCpus } from '../platform.ts';
import type { Kernel } from './kernel.ts';
import { KVM_MAX_IRQ_ROUTES, KVM_USER_MEM_SLOTS, leastBound, maxVcpuIds } from './limits.ts';
import type { Vm } from './vm.ts';

type Value = number | ((kernel: Kernel, vm: Vm | undefined) => number);
/** The same everywhere, or on /dev/kvm, on the fd of a default VM and on that of a TD. */
type Row = Value | readonly [system: Value, defaultVm: Value, td: Value];

const feature =
  (name: keyof Kernel['profile']['platform']['features'], value = 1) =>
  (kernel: Kernel) =>
    kernel.profile.platform.features[name] ? value : 0;

const kvmMaxVcpus = (kernel: Kernel) => kernel.profile.kvmMaxVcpus;
const maxVcpusOfVm = (kernel: Kernel, vm: Vm | undefined) => vm?.maxVcpus ?? kvmMaxVcpus(kernel);

/** Which numbers a TD's fd shows is one of the rules that kernels differ in. */
function maxVcpusOfTd(kernel: Kernel, vm: Vm | undefined): number {
  let least = Number.POSITIVE_INFINITY;
  for (const bound of kernel.abi.maxVcpus.checkExtensionOfTd) {
    const value =
      bound === 'kvm->max_vcpus' ? maxVcpusOfVm(kernel, vm) : leastBound(kernel, [bound]);
    least = Math.min(least, value);
  }
  return least;
}

const table: Readonly<Record<CapabilityName, Row>> = {
  KVM_CAP_IRQCHIP: 1,
  KVM_CAP_NR_VCPUS: (kernel) =>
    Math.min(onlineCpus(kernel.profile.platform), kernel.profile.kvmMaxVcpus),
  KVM_CAP_NR_MEMSLOTS: KVM_USER_MEM_SLOTS,
  KVM_CAP_IRQ_ROUTING: KVM_MAX_IRQ_ROUTES,
  KVM_CAP_IRQFD: 1,
  KVM_CAP_ENABLE_CAP: 1,
  KVM_CAP_TSC_CONTROL: feature('tscScaling'),
  KVM_CAP_MAX_VCPUS: [kvmMaxVcpus, maxVcpusOfVm, maxVcpusOfTd],
  KVM_CAP_SYNC_REGS: [7, 7, 0],
  KVM_CAP_READONLY_MEM: [1, 1, 0],
  KVM_CAP_DEVICE_CTRL: 1,
  KVM_CAP_ENABLE_CAP_VM: 1,
  KVM_CAP_CHECK_EXTENSION_VM: 1,
  KVM_CAP_X86_SMM: [1, 1, 0],
  KVM_CAP_MULTI_ADDRESS_SPACE: [2, 2, 1],
  KVM_CAP_SPLIT_IRQCHIP: 1,
  KVM_CAP_MAX_VCPU_ID: (kernel) => maxVcpuIds(kernel.profile.kvmMaxVcpus),
  // Bit 2 (ENABLE_SUPPRESS_EOI_BROADCAST) needs a split irqchip.
  KVM_CAP_X2APIC_API: (_kernel, vm) => (vm === undefined || vm.irqchip === 'split' ? 15 : 11),
  KVM_CAP_X86_BUS_LOCK_EXIT: feature('busLockDetection', 3),
  // 1 on Intel too, where enabling them is EINVAL.
  KVM_CAP_VM_COPY_ENC_CONTEXT_FROM: 1,
  KVM_CAP_EXIT_HYPERCALL: 0x1000,
  KVM_CAP_BINARY_STATS_FD: 1,
  KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: 1,
  KVM_CAP_PMU_CAPABILITY: feature('pmu'),
  KVM_CAP_DISABLE_QUIRKS2: 0xfff,
  KVM_CAP_VM_TSC_CONTROL: feature('tscScaling'),
  KVM_CAP_SYSTEM_EVENT_DATA: 1,
  KVM_CAP_X86_NOTIFY_VMEXIT: feature('notifyVmExit'),
  KVM_CAP_USER_MEMORY2: 1,
  KVM_CAP_MEMORY_FAULT_INFO: 1,
  // On /dev/kvm: whether any VM type of this kernel has private memory.
  KVM_CAP_MEMORY_ATTRIBUTES: [
    (kernel) => (kernel.tdx === undefined ? 0 : Number(KVM_MEMORY_ATTRIBUTE_PRIVATE)),
    0,
    Number(KVM_MEMORY_ATTRIBUTE_PRIVATE),
  ],
  KVM_CAP_GUEST_MEMFD: 1,
  KVM_CAP_VM_TYPES: supportedVmTypes,
  KVM_CAP_PRE_FAULT_MEMORY: 1,
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: (_kernel, vm) =>
    vm === undefined ? 1 : Number(vm.caps.apicBusCyclesNs),
  KVM_CAP_X86_GUEST_MODE: 1,
  KVM_CAP_GUEST_MEMFD_FLAGS: [3, 3, 1],
};

const namesByNumber = new Map<number, CapabilityName>(
  Object.entries(capabilities).map(([name, number]) => [number, name as CapabilityName]),
);

export function checkExtension(kernel: Kernel, capability: number, vm: Vm | undefined): number {
  const name = namesByNumber.get(capability);
  if (name === undefined) return 0;
  const recorded = kernel.profile.recordedCapabilities?.[name];
  if (recorded !== undefined && !vm?.isTd) return recorded;
  const row = table[name];
  const value = typeof row === 'object' ? row[vm === undefined ? 0 : vm.isTd ? 2 : 1] : row;
  return typeof value === 'function' ? value(kernel, vm) : value;
}

/** A bit for each type that KVM_CREATE_VM takes. */
export function supportedVmTypes(kernel: Kernel): number {
  const td = kernel.tdx === undefined ? 0 : 1 << vmTypes.KVM_X86_TDX_VM;
  return (1 << vmTypes.KVM_X86_DEFAULT_VM) | td;
}

/**
 * The ioctls of a VM, as kvm_vm_ioctl() and kvm_arch_vm_ioctl() have them. Those about memory and
 * interrupts have files of their own.
 */
import { msrFilterInMemory } from '../msrs.ts';
import { structs } from '../structs.ts';
import { u64InMemory } from '../user-structs.ts';
import { argument, type DecoderTable, structOf, unsignedLong } from './decoder.ts';
import { interruptDecoders } from './interrupts.ts';
import { memoryDecoders } from './memory.ts';
import { checkExtension, enableVmCap, vmAndVcpu } from './shared.ts';
import { tdxCommand } from './tdx.ts';

export const vmDecoders: DecoderTable = {
  KVM_ENABLE_CAP: enableVmCap,
  KVM_CREATE_VCPU: ({ arg }) => ({ request: 'KVM_CREATE_VCPU', id: unsignedLong(arg) }),
  KVM_SET_BOOT_CPU_ID: ({ arg }) => ({ request: 'KVM_SET_BOOT_CPU_ID', id: unsignedLong(arg) }),
  KVM_SET_TSS_ADDR: ({ arg }) => ({ request: 'KVM_SET_TSS_ADDR', addr: arg }),
  KVM_SET_IDENTITY_MAP_ADDR: (call) => ({
    request: 'KVM_SET_IDENTITY_MAP_ADDR',
    addr: u64InMemory(argument(call)),
  }),
  KVM_SET_NR_MMU_PAGES: ({ arg }) => ({ request: 'KVM_SET_NR_MMU_PAGES', pages: arg }),
  KVM_GET_CLOCK: (call) => ({
    request: 'KVM_GET_CLOCK',
    clock: structOf(call, structs.kvm_clock_data),
  }),
  KVM_SET_CLOCK: (call) => ({
    request: 'KVM_SET_CLOCK',
    clock: structOf(call, structs.kvm_clock_data),
  }),
  KVM_X86_SET_MSR_FILTER: (call) => ({
    request: 'KVM_X86_SET_MSR_FILTER',
    ...msrFilterInMemory(call.memory, argument(call)),
  }),
  KVM_SET_PMU_EVENT_FILTER: (call) => ({
    request: 'KVM_SET_PMU_EVENT_FILTER',
    struct: argument(call),
  }),
  KVM_XEN_HVM_CONFIG: (call) => ({ request: 'KVM_XEN_HVM_CONFIG', struct: argument(call) }),
  KVM_XEN_HVM_GET_ATTR: (call) => ({ request: 'KVM_XEN_HVM_GET_ATTR', struct: argument(call) }),
  KVM_XEN_HVM_SET_ATTR: (call) => ({ request: 'KVM_XEN_HVM_SET_ATTR', struct: argument(call) }),
  KVM_XEN_HVM_EVTCHN_SEND: (call) => ({
    request: 'KVM_XEN_HVM_EVTCHN_SEND',
    struct: argument(call),
  }),
  KVM_RESET_DIRTY_RINGS: () => ({ request: 'KVM_RESET_DIRTY_RINGS' }),
  KVM_MEMORY_ENCRYPT_OP: tdxCommand,
  ...checkExtension,
  ...vmAndVcpu,
  ...memoryDecoders,
  ...interruptDecoders,
};

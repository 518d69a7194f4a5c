/** The ioctls of /dev/kvm, as kvm_dev_ioctl() and kvm_arch_dev_ioctl() have them. */
import { cpuidInMemory } from '../cpuid.ts';
import { msrListInMemory } from '../msrs.ts';
import { u64InMemory } from '../user-structs.ts';
import { argument, type DecoderTable, unsignedLong } from './decoder.ts';
import { checkExtension, systemAndVcpu } from './shared.ts';

export const systemDecoders: DecoderTable = {
  KVM_GET_API_VERSION: ({ arg }) => ({ request: 'KVM_GET_API_VERSION', arg }),
  KVM_CREATE_VM: ({ arg }) => ({ request: 'KVM_CREATE_VM', type: unsignedLong(arg) }),
  KVM_GET_VCPU_MMAP_SIZE: ({ arg }) => ({ request: 'KVM_GET_VCPU_MMAP_SIZE', arg }),
  KVM_GET_SUPPORTED_CPUID: (call) => ({
    request: 'KVM_GET_SUPPORTED_CPUID',
    cpuid: cpuidInMemory(argument(call)),
  }),
  KVM_GET_EMULATED_CPUID: (call) => ({
    request: 'KVM_GET_EMULATED_CPUID',
    cpuid: cpuidInMemory(argument(call)),
  }),
  KVM_X86_GET_MCE_CAP_SUPPORTED: (call) => ({
    request: 'KVM_X86_GET_MCE_CAP_SUPPORTED',
    mceCap: u64InMemory(argument(call)),
  }),
  KVM_GET_MSR_INDEX_LIST: (call) => ({
    request: 'KVM_GET_MSR_INDEX_LIST',
    list: msrListInMemory(argument(call)),
  }),
  KVM_GET_MSR_FEATURE_INDEX_LIST: (call) => ({
    request: 'KVM_GET_MSR_FEATURE_INDEX_LIST',
    list: msrListInMemory(argument(call)),
  }),
  ...checkExtension,
  ...systemAndVcpu,
};

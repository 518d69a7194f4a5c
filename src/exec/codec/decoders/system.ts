/** ioctls of /dev/kvm: kvm_dev_ioctl(), kvm_arch_dev_ioctl(). */
import { CpuidInMemory } from '../cpuid.ts';
import { MsrListInMemory } from '../msrs.ts';
import { u64InMemory } from '../user-structs.ts';
import { argument, type DecoderTable, unsignedLong } from './decoder.ts';
import { checkExtension, systemAndVcpu } from './shared.ts';

export const systemDecoders: DecoderTable = {
  KVM_GET_API_VERSION: ({ arg }) => ({ request: 'KVM_GET_API_VERSION', arg }),
  KVM_CREATE_VM: ({ arg }) => ({ request: 'KVM_CREATE_VM', type: unsignedLong(arg) }),
  KVM_GET_VCPU_MMAP_SIZE: ({ arg }) => ({ request: 'KVM_GET_VCPU_MMAP_SIZE', arg }),
  KVM_GET_SUPPORTED_CPUID: (call) => ({
    request: 'KVM_GET_SUPPORTED_CPUID',
    cpuid: new CpuidInMemory(argument(call)),
  }),
  KVM_GET_EMULATED_CPUID: (call) => ({
    request: 'KVM_GET_EMULATED_CPUID',
    cpuid: new CpuidInMemory(argument(call)),
  }),
  KVM_X86_GET_MCE_CAP_SUPPORTED: (call) => ({
    request: 'KVM_X86_GET_MCE_CAP_SUPPORTED',
    mceCap: u64InMemory(argument(call)),
  }),
  KVM_GET_MSR_INDEX_LIST: (call) => ({
    request: 'KVM_GET_MSR_INDEX_LIST',
    list: new MsrListInMemory(argument(call)),
  }),
  KVM_GET_MSR_FEATURE_INDEX_LIST: (call) => ({
    request: 'KVM_GET_MSR_FEATURE_INDEX_LIST',
    list: new MsrListInMemory(argument(call)),
  }),
  ...checkExtension,
  ...systemAndVcpu,
};

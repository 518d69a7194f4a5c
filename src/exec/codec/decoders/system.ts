/** ioctls of /dev/kvm: kvm_dev_ioctl(), kvm_arch_dev_ioctl(). */
import { CpuidInMemory, Place } from '../user-structs.ts';
import { type DecoderTable, unsignedLong } from './decoder.ts';

export const systemDecoders: DecoderTable = {
  KVM_GET_API_VERSION: ({ arg }) => ({ request: 'KVM_GET_API_VERSION', arg }),
  KVM_CREATE_VM: ({ arg }) => ({ request: 'KVM_CREATE_VM', type: unsignedLong(arg) }),
  KVM_CHECK_EXTENSION: ({ arg }) => ({
    request: 'KVM_CHECK_EXTENSION',
    capability: unsignedLong(arg),
  }),
  KVM_GET_VCPU_MMAP_SIZE: ({ arg }) => ({ request: 'KVM_GET_VCPU_MMAP_SIZE', arg }),
  KVM_GET_SUPPORTED_CPUID: ({ memory, arg }) => ({
    request: 'KVM_GET_SUPPORTED_CPUID',
    cpuid: new CpuidInMemory(new Place(memory, arg)),
  }),
};

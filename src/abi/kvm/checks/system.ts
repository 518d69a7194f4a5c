/** What /dev/kvm tells of itself, and the attributes that /dev/kvm and a vCPU have. */
import { checksIn, EFAULT, ENXIO } from './check.ts';
import { argumentChecks, unreadable, vcpuChecks } from './common.ts';

/** KVM_GET_API_VERSION and KVM_GET_VCPU_MMAP_SIZE. */
export const plainQuestionChecks = { 'argument.not-zero': argumentChecks['argument.not-zero'] };

const attribute = {
  ...unreadable,
  ...checksIn('arch/x86/kvm/x86.c, __kvm_x86_dev_get_attr() and kvm_vcpu_ioctl_device_attr()', {
    'device-attr.unknown': ENXIO(
      'the file has no such attribute',
      'ask /dev/kvm for KVM_X86_XCOMP_GUEST_SUPP, and a vCPU for KVM_VCPU_TSC_OFFSET, and for no other',
    ),
  }),
};

const value = checksIn('arch/x86/kvm/x86.c, kvm_x86_dev_get_attr() and kvm_arch_tsc_get_attr()', {
  'device-attr.value-unwritable': EFAULT(
    'the value cannot be written to addr',
    'pass the address of 8 bytes that the process may write',
  ),
});

export const deviceAttrChecks = {
  'KVM_GET_DEVICE_ATTR on /dev/kvm': { ...attribute, ...value },
  'KVM_HAS_DEVICE_ATTR on /dev/kvm': attribute,
};

export const vcpuDeviceAttrChecks = {
  KVM_GET_DEVICE_ATTR: { ...vcpuChecks, ...attribute, ...value },
  KVM_SET_DEVICE_ATTR: {
    ...vcpuChecks,
    ...attribute,
    ...checksIn('arch/x86/kvm/x86.c, kvm_arch_tsc_set_attr()', {
      'device-attr.value-unreadable': EFAULT(
        'the value at addr is unreadable',
        'pass the address of 8 bytes',
      ),
    }),
  },
  KVM_HAS_DEVICE_ATTR: { ...vcpuChecks, ...attribute },
};

/** KVM_TDX_CAPABILITIES. Source: kernel-abi parts 2.4 and 7.1, Linux 7.3. */
import { deadVm } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

export const capabilitiesFacts: RequestFacts = {
  request: 'KVM_TDX_CAPABILITIES',
  on: 'the VM',
  checks: [
    deadVm,
    { step: 1, errno: 'ENOTTY', when: 'the VM is no TD, or KVM has no TDX' },
    { step: 2, errno: 'EFAULT', when: 'the command is unreadable' },
    { step: 3, errno: 'EINVAL', when: 'hw_error of the command is not 0 on the way in' },
    { step: 4, errno: 'EINVAL', when: 'flags of the command is not 0' },
    { step: 5, errno: 'EFAULT', when: 'cpuid.nent is unreadable' },
    { step: 6, errno: 'E2BIG', when: 'there are more configurable CPUID leaves than cpuid.nent' },
    { step: 7, errno: 'ENOMEM', when: 'the kernel has no memory for the answer' },
    {
      step: 8,
      errno: 'EIO',
      when: 'the module supports no attributes or no XFAM',
      unreachable: true,
    },
    { step: 9, errno: 'EFAULT', when: 'the answer cannot be written' },
  ],
  answers: {
    ENOTTY: {
      // canonical/tdx#114
      id: 'capabilities.abi-mismatch',
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      meaning: 'the VMM and the kernel do not speak the same version of the TDX interface',
      causes: [
        'QEMU is newer or older than the interface of this kernel (an upgrade changed one of the two)',
        'the VM was created without the type KVM_X86_TDX_VM',
        'kvm_intel has no TDX: `cat /sys/module/kvm_intel/parameters/tdx` says N',
      ],
      next: 'use upstream QEMU 10.1 or later with Linux 6.16 or later, or both from one vendor release',
    },
    EINVAL: {
      // cloud-hypervisor#8540, #7207
      id: 'capabilities.pre-upstream-vmm',
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      meaning: 'the VMM sends a command as kernels before Linux 6.16 took it',
      causes: [
        'a VMM written for the interface before it was merged (Cloud Hypervisor, vendor QEMU)',
        'flags or hw_error of the command is not 0',
      ],
      next: 'use a VMM that knows the merged interface: QEMU 10.1 or later',
    },
    E2BIG: {
      id: 'capabilities.buffer-too-small',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the answer has more CPUID leaves than the VMM left room for',
      causes: ['the normal answer to a first try: the VMM asks again with more room'],
      next: 'nothing if the VMM goes on; else report it to its makers',
    },
    EIO: {
      id: 'capabilities.nothing-supported',
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      meaning: 'the VM is dead, or the TDX module forces attributes that KVM does not know',
      next: 'use a module release that the kernel knows; look for "SEAMCALL" in the kernel log',
    },
  },
};

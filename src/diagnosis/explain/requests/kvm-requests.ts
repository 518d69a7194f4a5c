/** Requests of KVM around the TDX commands. */
import { enableCapChecks } from '../../../abi/kvm/checks/enable-cap.ts';
import type { RequestFacts } from './request.ts';

const capabilities = Object.keys(enableCapChecks);

export const kvmRequestFacts: readonly RequestFacts[] = [
  {
    request: 'KVM_CREATE_VCPU',
    answers: {
      EINVAL: {
        id: 'create-vcpu.refused',
        code: 'TDCTL_E_VCPU_LIMIT',
        meaning: 'the VM has as many vCPUs as it may have, or the vCPU id is above its limit',
        causes: [
          'KVM gives a TD no more vCPUs than the host has CPUs: KVM_CAP_MAX_VCPUS on the VM says how many',
        ],
        next: 'ask for fewer vCPUs; `tdctl host` shows the limits',
      },
    },
  },
  {
    request: 'KVM_ENABLE_CAP',
    answers: {
      EINVAL: {
        id: 'enable-cap.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the kernel does not offer the capability to this VM, or refuses its arguments',
        next: 'name the capability: `tdctl explain EINVAL KVM_ENABLE_CAP KVM_CAP_…`',
      },
      EEXIST: {
        id: 'enable-cap.too-late',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the capability cannot be set any more: an irqchip or a vCPU exists',
        next: 'set it before the first vCPU',
      },
      ENXIO: {
        id: 'enable-cap.no-irqchip',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the capability needs an in-kernel irqchip, and the VM has none',
        next: 'split the irqchip first (KVM_CAP_SPLIT_IRQCHIP)',
      },
    },
  },
  ...capabilities.map((name) => ({ request: `KVM_ENABLE_CAP(${name})`, answers: {} })),
  { request: 'KVM_CREATE_VM', answers: {} },
  { request: 'KVM_CREATE_IRQCHIP', on: 'the VM', answers: {} },
  {
    request: 'KVM_SET_TSC_KHZ',
    on: 'the VM',
    answers: {
      EINVAL: {
        id: 'set-tsc-khz.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the TSC frequency is out of range, or comes after the first vCPU',
        next: 'set it on the VM before INIT_VM, between 100 000 and 10 000 000 kHz in steps of 25 000',
      },
    },
  },
  {
    request: 'KVM_CREATE_GUEST_MEMFD',
    on: 'the VM',
    answers: {
      EINVAL: {
        id: 'create-guest-memfd.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the size is not a multiple of 4 KiB, or a flag does not fit a TD',
        next: 'give a size in whole pages, and no flag but MMAP',
      },
      ENOTTY: {
        id: 'create-guest-memfd.unknown',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'this kernel has no guest_memfd, which TDs need',
        next: 'use Linux 6.16 or later, built with CONFIG_KVM_INTEL_TDX',
      },
    },
  },
  {
    request: 'KVM_SET_USER_MEMORY_REGION2',
    on: 'the VM',
    answers: {
      EINVAL: {
        id: 'memory-region.refused',
        code: 'TDCTL_E_IOCTL',
        meaning:
          'the memory slot does not fit a TD: alignment, flags, or a guest_memfd of another VM',
        next: 'use writable slots of whole pages in address space 0, with a guest_memfd of the same VM',
      },
      EEXIST: {
        id: 'memory-region.overlap',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the memory slot overlaps another one',
        next: 'delete the old slot first (size 0), or give it other addresses',
      },
    },
  },
  {
    request: 'KVM_SET_MEMORY_ATTRIBUTES',
    on: 'the VM',
    answers: {
      EINVAL: {
        id: 'memory-attributes.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the range is empty or unaligned, or the VM knows no private memory',
        next: 'give whole pages, and the VM the type KVM_X86_TDX_VM',
      },
    },
  },
  {
    request: 'KVM_SET_CPUID2',
    on: 'a vCPU',
    answers: {
      EINVAL: {
        id: 'set-cpuid.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the CPUID entries do not fit the vCPU',
        next: 'start from KVM_GET_SUPPORTED_CPUID and take bits away',
      },
      E2BIG: {
        id: 'set-cpuid.too-many',
        code: 'TDCTL_E_IOCTL',
        meaning: 'there are more than 256 CPUID entries',
        next: 'send the entries that KVM_GET_SUPPORTED_CPUID lists, once each',
      },
    },
  },
  {
    request: 'KVM_PRE_FAULT_MEMORY',
    on: 'a vCPU',
    answers: {
      EOPNOTSUPP: {
        id: 'pre-fault.before-finalize',
        code: 'TDCTL_E_IOCTL',
        meaning: 'memory of a TD can be faulted in only after KVM_TDX_FINALIZE_VM',
        next: 'finalise the TD first',
      },
      EINVAL: {
        id: 'pre-fault.refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the range is empty, unaligned or shared',
        next: 'give whole pages of private memory',
      },
    },
  },
  {
    request: 'KVM_RUN',
    on: 'a vCPU',
    answers: {
      EINVAL: {
        id: 'run.not-finalized',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the TD cannot run yet: the vCPU is not initialised, or the TD is not finalised',
        next: 'initialise every vCPU, then KVM_TDX_FINALIZE_VM, then KVM_RUN',
      },
      EIO: {
        id: 'run.guest-broke-the-td',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the TD is dead',
        causes: [
          'the guest used private memory before accepting it: firmware or guest kernel without TDX',
          'a call to the TDX module failed ("SEAMCALL" in the kernel log)',
        ],
        next: 'look at the console of the guest, and use a guest kernel with TDX support',
      },
      EFAULT: {
        id: 'run.memory-fault',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the guest touched memory as private that is shared, or the other way round',
        causes: [
          'the VMM does not handle KVM_EXIT_MEMORY_FAULT',
          'there is no memory at the address',
        ],
        next: 'use a VMM with TDX support; look at exit_reason and the address it names',
      },
      EAGAIN: {
        id: 'run.waiting-vcpu',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the vCPU waits to be started and was woken without that',
        next: 'call KVM_RUN again',
      },
    },
  },
];

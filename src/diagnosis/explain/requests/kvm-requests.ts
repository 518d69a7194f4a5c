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
    request: 'KVM_SET_MEMORY_ATTRIBUTES2',
    on: 'a guest_memfd',
    answers: {
      EINVAL: {
        id: 'memory-attributes2.refused',
        code: 'TDCTL_E_IOCTL',
        meaning:
          'the range is empty, unaligned or beyond the file, or the VM of the guest_memfd knows no private memory',
        next: 'give whole pages by their offset in the file, and the VM the type KVM_X86_TDX_VM',
      },
      ENOTTY: {
        id: 'memory-attributes2.unknown',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'this kernel keeps private and shared with the VM, not with each guest_memfd',
        next: 'ask KVM_CHECK_EXTENSION(KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES) first; where it is 0, use KVM_SET_MEMORY_ATTRIBUTES on the VM',
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
    },
  },
  {
    request: 'KVM_PRE_FAULT_MEMORY',
    on: 'a vCPU',
    answers: {
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
      EAGAIN: {
        id: 'run.waiting-vcpu',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the vCPU waits to be started and was woken without that',
        next: 'call KVM_RUN again',
      },
    },
  },
];

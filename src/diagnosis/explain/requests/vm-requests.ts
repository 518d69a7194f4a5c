/** Requests of KVM around the TDX commands. Source: kernel-abi parts 2.2 to 2.14, Linux 7.3. */
import { deadVm } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

export const vmRequestFacts: readonly RequestFacts[] = [
  {
    request: 'KVM_CREATE_VM',
    on: '/dev/kvm',
    checks: [
      { step: 1, errno: 'EINVAL', when: 'the type is not among those of KVM_CAP_VM_TYPES' },
      { step: 2, errno: 'ENOMEM', when: 'no memory for the VM' },
      { step: 3, errno: 'EMFILE', when: 'the process has no descriptor left' },
      { step: 3, errno: 'ENFILE', when: 'the system has no file left' },
    ],
    answers: {
      EINVAL: {
        id: 'create-vm.type-unsupported',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'this kernel does not offer VMs of the type KVM_X86_TDX_VM',
        causes: [
          'the TDX module is not initialised: the kernel log says why',
          'kvm_intel was loaded without tdx=1',
          'the kernel is not the one with TDX: a boot entry changed',
          'BIOS or CPU have no TDX',
        ],
        next: 'check `tdctl host`; rehearse with `--host sim` or `--host soft` meanwhile',
      },
    },
  },
  {
    request: 'KVM_CREATE_IRQCHIP',
    on: 'the VM',
    checks: [
      deadVm,
      { step: 1, errno: 'EEXIST', when: 'the VM has an irqchip' },
      { step: 2, errno: 'ENOTTY', when: 'the VM is a TD, or the kernel has no in-kernel I/O APIC' },
    ],
    answers: {
      ENOTTY: {
        id: 'create-irqchip.td-needs-split',
        code: 'TDCTL_E_IOCTL',
        meaning: 'a TD cannot have its I/O APIC in the kernel',
        next: 'split the irqchip: -machine q35,kernel_irqchip=split',
      },
      EEXIST: {
        id: 'create-irqchip.exists',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the VM has an irqchip already',
        next: 'create it once, or only split it',
      },
    },
  },
  {
    request: 'KVM_SET_TSC_KHZ',
    on: 'the VM',
    checks: [
      deadVm,
      { step: 1, errno: 'EINVAL', when: 'the frequency is above what the CPU can scale to' },
      { step: 2, errno: 'EINVAL', when: 'the VM has a vCPU, or it is asked on a vCPU of a TD' },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'EINVAL', when: 'a flag that a TD does not have (INIT_SHARED)' },
      { step: 2, errno: 'EINVAL', when: 'the size is 0, negative or unaligned' },
      { step: 3, errno: 'ENOMEM', when: 'no memory' },
      { step: 3, errno: 'EMFILE', when: 'the process has no descriptor left' },
      { step: 3, errno: 'ENFILE', when: 'the system has no file left' },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'EINVAL', when: 'flags, size or alignment do not fit' },
      { step: 2, errno: 'EINVAL', when: 'read-only memory, or an address space but 0, on a TD' },
      { step: 3, errno: 'EEXIST', when: 'the guest addresses overlap another slot' },
      { step: 4, errno: 'EBADF', when: 'the guest_memfd is no open descriptor' },
      { step: 5, errno: 'EINVAL', when: 'the descriptor is no guest_memfd of this VM' },
      { step: 6, errno: 'EEXIST', when: 'the part of the guest_memfd belongs to another slot' },
      { step: 7, errno: 'EINVAL', when: 'a slot with a guest_memfd is changed instead of deleted' },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'EINVAL', when: 'flags is not 0, or an attribute but PRIVATE' },
      { step: 2, errno: 'EINVAL', when: 'the range is empty, wraps, or is unaligned' },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'E2BIG', when: 'there are more than 256 entries' },
      { step: 2, errno: 'EFAULT', when: 'the entries are unreadable' },
      {
        step: 3,
        errno: 'EINVAL',
        when: 'the entries do not fit the vCPU, or come after it has run',
      },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'EINVAL', when: 'flags is not 0, or the range is empty or unaligned' },
      { step: 2, errno: 'EINTR', when: 'a signal waits' },
      { step: 3, errno: 'EOPNOTSUPP', when: 'the TD is not finalised' },
      { step: 4, errno: 'EINVAL', when: 'the address has the shared bit' },
    ],
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
    checks: [
      deadVm,
      { step: 1, errno: 'EINTR', when: 'immediate_exit is set, or a signal waits' },
      { step: 2, errno: 'EINVAL', when: 'registers are to be synchronised, which a TD cannot' },
      { step: 3, errno: 'EAGAIN', when: 'the vCPU is none that starts by itself, and was woken' },
      { step: 4, errno: 'EINVAL', when: 'the vCPU is not initialised, or the TD is not finalised' },
      {
        step: 5,
        errno: 'EFAULT',
        when: 'the guest touched memory that the VMM must convert first',
      },
      { step: 5, errno: 'EHWPOISON', when: 'the guest touched a damaged page' },
      { step: 6, errno: 'EIO', when: 'the guest touched private memory it had not accepted' },
    ],
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
  {
    request: 'KVM_TDX_TERMINATE_VM',
    on: 'the VM',
    checks: [
      deadVm,
      { step: 1, errno: 'ENOTTY', when: 'the VM is no TD' },
      { step: 2, errno: 'EINVAL', when: 'the kernel does not have it: posted, not in Linux 7.3' },
      { step: 3, errno: 'EBUSY', when: 'a vCPU runs', kernels: 'posted patches' },
    ],
    answers: {
      EINVAL: {
        id: 'terminate-vm.unknown',
        code: 'TDCTL_E_IOCTL',
        meaning:
          'this kernel cannot free the key slot before the memory: it was posted, never merged',
        next: 'nothing: close the descriptors; the teardown takes longer',
      },
      EBUSY: {
        id: 'terminate-vm.vcpu-runs',
        code: 'TDCTL_E_IOCTL',
        meaning: 'a vCPU of the TD still runs',
        next: 'stop every vCPU first',
      },
    },
  },
];

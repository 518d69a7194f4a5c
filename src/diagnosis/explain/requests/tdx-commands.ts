/** The sub-commands of KVM_MEMORY_ENCRYPT_OP. */
import type { RefusalAnswer, RequestFacts } from './request.ts';

export const noEntropy: RefusalAnswer = {
  id: 'init-vm.no-entropy',
  code: 'TDCTL_E_IOCTL',
  meaning: 'the CPU had no entropy left for a new key, several times in a row',
  causes: ['many TDs are built at once', 'other software drains RDRAND or RDSEED'],
  next: 'try again in a moment',
};

export const tdxCommandFacts: readonly RequestFacts[] = [
  {
    request: 'KVM_TDX_CAPABILITIES',
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
        ],
        next: 'use a VMM that knows the merged interface: QEMU 10.1 or later',
      },
    },
  },
  {
    request: 'KVM_TDX_INIT_VM',
    answers: {
      EAGAIN: noEntropy,
      EIO: {
        id: 'init-vm.not-built',
        code: 'TDCTL_E_IOCTL',
        meaning: 'a CPU package is entirely offline, or the TDX module failed',
        causes: [
          'all CPUs of a package are offline ("All packages need to have online CPU" in the kernel log)',
          'a SEAMCALL failed ("SEAMCALL" in the kernel log)',
        ],
        next: 'bring a CPU of every package online, and look for "SEAMCALL" in the kernel log',
      },
      EINVAL: {
        id: 'init-vm.parameter-refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the kernel or the TDX module refuses a parameter of the TD',
        causes: [
          'a CPUID entry that is not configurable on this host',
          'an attribute that KVM does not support: besides SEPT_VE_DISABLE it supports none',
        ],
        next: 'compare spec.attributes, xfam, tsc and gpaw with `tdctl host`',
      },
    },
  },
  {
    request: 'KVM_TDX_INIT_VCPU',
    answers: {
      EINVAL: {
        id: 'init-vcpu.not-ready',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the vCPU cannot be initialised: the TD or the vCPU is not at that point',
        causes: [
          'KVM_SET_CPUID2 has not given the vCPU x2APIC: it must come before',
          'the TD is finalised: vCPUs that were not initialised before can never run',
        ],
        next: 'keep the order INIT_VM, CREATE_VCPU, SET_CPUID2, INIT_VCPU, FINALIZE_VM',
      },
    },
  },
  {
    request: 'KVM_TDX_INIT_MEM_REGION',
    answers: {
      // Vendor kernels before Linux 6.16 answer so. canonical/tdx#21; Kata shows it as "exitting QMP loop" (#22).
      EAGAIN: {
        id: 'init-mem-region.not-repeated',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the kernel asked the VMM to repeat the request, and the VMM gave up instead',
        causes: [
          'the VMM does not repeat KVM_TDX_INIT_MEM_REGION on EAGAIN: an old vendor QEMU',
          'the firmware is not the one made for this stack (wrong TDVF)',
        ],
        next: 'use QEMU 10.1 or later, and the OVMF of the same distribution release',
      },
      // Linux 6.16 answers so; Linux 7.3 repeats it itself.
      EBUSY: {
        id: 'init-mem-region.module-busy',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the TDX module was busy with the same TD, and the VMM did not repeat the request',
        next: 'repeat the request with the region as the kernel left it; newer kernels do it themselves',
      },
      EIO: {
        // canonical/tdx#319
        id: 'init-mem-region.page-refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the TDX module refused a page of the firmware, or the page was added twice',
        causes: [
          'VMM and firmware do not fit: two sections overlap, or lie where the VMM put something else',
          'the module refused a page ("SEAMCALL TDH_MEM_PAGE_ADD" in the kernel log); the VM is dead',
        ],
        next: 'use the VMM and OVMF of one release; `tdctl measure FIRMWARE` shows the sections',
      },
      EINVAL: {
        id: 'init-mem-region.region-refused',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the region cannot be added: its addresses, its slot, or the moment do not fit',
        causes: [
          'no slot with a guest_memfd, or the range was not set to private (KVM_SET_MEMORY_ATTRIBUTES)',
        ],
        next: 'compare the memory map of the VMM with the sections: `tdctl measure FIRMWARE`',
      },
    },
  },
  { request: 'KVM_TDX_FINALIZE_VM', answers: {} },
  {
    request: 'KVM_TDX_GET_CPUID',
    answers: {
      EINVAL: {
        id: 'get-cpuid.wrong-order',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the CPUID of a TD can be read only between INIT_VM and FINALIZE_VM',
        next: 'read it before KVM_TDX_FINALIZE_VM',
      },
    },
  },
  { request: 'KVM_TDX_TERMINATE_VM', answers: {} },
];

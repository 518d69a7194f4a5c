/**
 * What fails around KVM with an errno that reads the same and means something else.
 * Source: Linux arch/x86/virt/vmx/tdx/tdx.c, drivers/vfio/vfio_iommu_type1.c.
 */
import type { RequestFacts } from './request.ts';

/** Not an ioctl: `virt/tdx: module initialization failed (-28)`. */
export const moduleInitialization = 'module initialization';

/** Not an ioctl either, and the first thing that fails on a host without KVM. */
export const openDevKvm = 'opening /dev/kvm';

export const hostRequestFacts: readonly RequestFacts[] = [
  {
    request: openDevKvm,
    checks: [
      { step: 1, errno: 'ENOENT', when: 'the device node does not exist' },
      { step: 2, errno: 'EACCES', when: 'its owner, group or mode do not allow it' },
      { step: 3, errno: 'EPERM', when: 'the device cgroup or a seccomp filter forbids it' },
      { step: 4, errno: 'ENODEV', when: 'the node is there, and no KVM module is loaded' },
      { step: 5, errno: 'EMFILE', when: 'the process has no descriptor left' },
    ],
    answers: {
      ENODEV: {
        id: 'kvm.not-loaded',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: '/dev/kvm exists, and no KVM is behind it',
        causes: ['kvm_intel is not loaded', 'VT-x is off in the BIOS'],
        next: 'run `modprobe kvm_intel`, and look at the kernel log if that fails',
      },
    },
  },
  {
    request: moduleInitialization,
    checks: [
      { step: 1, errno: 'ENODEV', when: 'the module does not answer: it is not loaded' },
      {
        step: 1,
        errno: 'EOPNOTSUPP',
        when: 'the CPU refuses SEAMCALL (#GP): not enabled by the BIOS',
      },
      { step: 1, errno: 'EACCES', when: 'the CPU refuses SEAMCALL (#UD): not in VMX operation' },
      {
        step: 2,
        errno: 'EIO',
        when: 'the module refused a call: the SEAMCALL line before says which',
      },
      {
        step: 3,
        errno: 'EINVAL',
        when: 'the module lacks a feature, or an earlier attempt failed',
      },
      { step: 4, errno: 'ENOMEM', when: 'no memory for the page metadata (PAMT), in one piece' },
      {
        step: 5,
        errno: 'ENOSPC',
        when: 'more TDMRs or reserved areas are needed than the module has',
      },
    ],
    answers: {
      ENOSPC: {
        // canonical/tdx#135, #415
        id: 'module-init.reserved-areas-exhausted',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning:
          'the memory of the host has more holes than the TDX module can describe; no keys are missing',
        causes: [
          'the BIOS memory map has many holes in one 1 GiB range: a range takes 16 reserved areas',
          'the kernel lacks the fix that takes fewer areas (it is in later vendor kernels)',
        ],
        next: 'update the kernel, then the BIOS; disable what the BIOS carves out of low memory',
      },
      EIO: {
        id: 'module-init.seamcall-failed',
        rank: 'effect',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'the TDX module refused a call of its initialisation; the line before says which',
        next: 'explain the SEAMCALL line before it: `dmesg | tdctl explain -`',
      },
      ENODEV: {
        id: 'module-init.not-loaded',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'the TDX module is not loaded',
        next: 'switch on "SEAM Loader" and TDX in the BIOS, and update the BIOS',
      },
      EINVAL: {
        id: 'module-init.refused',
        rank: 'effect',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'the kernel refuses this TDX module, or gave up after an earlier failure',
        causes: [
          'the module is too old: it lacks NO_RBP_MOD ("RBP clobber bug present" in the kernel log)',
          'an earlier attempt failed: the first failure of the log counts',
        ],
        next: 'update the BIOS, which brings the module; then reboot',
      },
      ENOMEM: {
        id: 'module-init.no-memory-for-pamt',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'there is no piece of free memory large enough for the page metadata (PAMT)',
        causes: ['kvm_intel was loaded late, when memory was in pieces: PAMT needs 1/256 of it'],
        next: 'load kvm_intel at boot (kvm_intel.tdx=1 on the kernel command line), and reboot',
      },
      EOPNOTSUPP: {
        id: 'module-init.not-enabled-by-bios',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'the CPU refuses to call the TDX module: the BIOS has not enabled it in full',
        next: 'go through every TDX setting of the BIOS: docs/explain.md lists them',
      },
      EACCES: {
        id: 'module-init.no-vmx',
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        meaning: 'a CPU is not in VMX operation',
        next: 'load kvm_intel with all CPUs online; check that VT-x is on in the BIOS',
      },
    },
  },
  {
    request: 'VFIO_IOMMU_MAP_DMA',
    on: 'the VFIO container',
    checks: [
      {
        step: 1,
        errno: 'EINVAL',
        when: 'the address is not aligned, or beyond what the IOMMU reaches',
      },
      { step: 2, errno: 'EEXIST', when: 'something is mapped there' },
      { step: 3, errno: 'ENOSPC', when: 'the container has dma_entry_limit mappings (65535)' },
      { step: 4, errno: 'ENOMEM', when: 'the process may not lock that much memory' },
      { step: 5, errno: 'EFAULT', when: 'there is no memory at the address of the process' },
    ],
    answers: {
      ENOSPC: {
        id: 'vfio.dma-entries-exhausted',
        code: 'TDCTL_E_IOCTL',
        meaning:
          'the device has as many DMA mappings as VFIO allows; key slots and memory are not it',
        causes: ['the guest shares its memory page by page, and each page is a mapping of its own'],
        next: 'raise vfio_iommu_type1.dma_entry_limit (module parameter), or use iommufd',
      },
      ENOMEM: {
        id: 'vfio.locked-memory',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the process may not lock as much memory as the device needs mapped',
        next: 'raise `ulimit -l`, or LimitMEMLOCK= of the service',
      },
      EINVAL: {
        id: 'vfio.bad-mapping',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the IOMMU cannot map the address: unaligned, or above its address width',
        next: 'lower the guest address width: -cpu host,host-phys-bits-limit=N',
      },
    },
  },
];

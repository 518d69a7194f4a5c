/** KVM_TDX_INIT_MEM_REGION. Source: kernel-abi parts 2.12 and 7.1, Linux 7.3. */
import { vcpuCommandChecks } from './common-checks.ts';
import type { RequestFacts } from './request.ts';

const pagesStay = 'pages added so far stay; the region says how far it came';

export const initMemRegionFacts: RequestFacts = {
  request: 'KVM_TDX_INIT_MEM_REGION',
  on: 'a vCPU',
  checks: [
    ...vcpuCommandChecks,
    { step: 6, errno: 'EINVAL', when: 'the vCPU is not initialised' },
    { step: 7, errno: 'EINVAL', when: 'flags has a bit other than MEASURE_MEMORY_REGION' },
    { step: 8, errno: 'EFAULT', when: 'the region is unreadable' },
    {
      step: 9,
      errno: 'EINVAL',
      when: 'an address is 0 or unaligned, there are no pages, or an address is not private',
    },
    { step: 10, errno: 'EINTR', when: 'a signal waits', leaves: pagesStay },
    { step: 11, errno: 'EINVAL', when: 'no slot with a guest_memfd lies there', leaves: pagesStay },
    { step: 12, errno: 'EFAULT', when: 'the guest_memfd is closed', leaves: pagesStay },
    { step: 13, errno: 'EFAULT', when: 'the source page is unreadable', leaves: pagesStay },
    { step: 13, errno: 'ENOMEM', when: 'the source page could not be had', leaves: pagesStay },
    { step: 14, errno: 'ENOMEM', when: 'no memory for the page of the TD', leaves: pagesStay },
    { step: 14, errno: 'EHWPOISON', when: 'the page of the TD is damaged', leaves: pagesStay },
    { step: 14, errno: 'EIO', when: 'the page of the guest_memfd failed', leaves: pagesStay },
    { step: 15, errno: 'EINVAL', when: 'the page is not set to private', leaves: pagesStay },
    { step: 16, errno: 'EIO', when: 'the page was added already', leaves: pagesStay },
    {
      step: 18,
      errno: 'EIO',
      when: 'TDH.MEM.SEPT.ADD, TDH.MEM.PAGE.ADD or TDH.MR.EXTEND failed',
      leaves: pagesStay,
      vmDead: true,
    },
    { step: 19, errno: 'EFAULT', when: 'the region cannot be written back', leaves: pagesStay },
    {
      step: 17,
      errno: 'EAGAIN',
      when: 'a page could not be had at once; the VMM must repeat the request',
      leaves: pagesStay,
      kernels: 'vendor kernels before Linux 6.16',
    },
    {
      step: 17,
      errno: 'EBUSY',
      when: 'the module was busy; the VMM must repeat the request',
      leaves: pagesStay,
      kernels: 'Linux 6.16',
    },
  ],
  answers: {
    EAGAIN: {
      // canonical/tdx#21; Kata shows it as "exitting QMP loop" (#22).
      id: 'init-mem-region.not-repeated',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the kernel asked the VMM to repeat the request, and the VMM gave up instead',
      causes: [
        'the VMM does not repeat KVM_TDX_INIT_MEM_REGION on EAGAIN: an old vendor QEMU',
        'the firmware is not the one made for this stack (wrong TDVF)',
      ],
      next: 'use QEMU 10.1 or later, and the OVMF of the same distribution release',
    },
    EBUSY: {
      id: 'init-mem-region.module-busy',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TDX module was busy with the same TD, and the VMM did not repeat the request',
      next: 'repeat the request with the region as the kernel left it; newer kernels do it themselves',
    },
    EIO: {
      // canonical/tdx#319
      id: 'init-mem-region.module-refused',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the TDX module refused a page of the firmware, or the page was added twice',
      causes: [
        'VMM and firmware do not fit: two sections overlap, or lie where the VMM put something else',
        'the module refused a page ("SEAMCALL TDH_MEM_PAGE_ADD" in the kernel log); the VM is dead',
        'the caller is not the process that created the VM',
      ],
      next: 'use the VMM and OVMF of one release; `tdctl measure FIRMWARE` shows the sections',
    },
    EINVAL: {
      id: 'init-mem-region.region-refused',
      code: 'TDCTL_E_IOCTL',
      meaning: 'the region cannot be added: its addresses, its slot, or the moment do not fit',
      causes: [
        'no slot with a guest_memfd, or the range was not set to private (KVM_SET_MEMORY_ATTRIBUTES)',
        'an address is not aligned to 4 KiB, is 0, or is a shared guest address',
        'the vCPU it is asked on is not initialised, or the TD is finalised already',
      ],
      next: 'compare the memory map of the VMM with the sections: `tdctl measure FIRMWARE`',
    },
  },
};

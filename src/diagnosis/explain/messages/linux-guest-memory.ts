/** Memory inside a TD: accepting it, and the bounce buffers by which devices reach it. */
import type { Answer } from '../answer.ts';
import { messages } from './message.ts';

const notAccepted: Answer = {
  id: 'guest.memory-not-accepted',
  meaning: 'the kernel of the TD could not accept memory that it was given, and panics',
  causes: [
    'the host had no memory left for a private page: QEMU or the kernel of the host say so',
    'the memory was accepted before: firmware and kernel disagree (a kexec, a VMM that replays memory)',
  ],
  next: 'look at the log of the host at that moment: `journalctl -k | tdctl explain -`',
};

const swiotlbFull: Answer = {
  // NVIDIA/open-gpu-kernel-modules#531
  id: 'guest.swiotlb-full',
  meaning: 'the bounce buffers are full: in a TD all DMA of devices goes through them (swiotlb)',
  causes: ['the device moves more at once than the default of the kernel leaves room for'],
  next: 'raise swiotlb= on the kernel command line of the guest (swiotlb=1048576 is 2 GiB)',
};

export const linuxGuestMemory = messages(
  { by: 'Linux', place: 'guest', source: 'kernel/dma/swiotlb.c', releases: '5.19 and later' },
  [
    {
      says: [
        'swiotlb buffer is full (sz: {size:int} bytes), total {total:int} (slots), used {used:int} (slots)',
      ],
      answer: swiotlbFull,
      say: ({ size, total, used }) => ({
        meaning:
          `the bounce buffers are full: ${used} of ${total} slots are used, and ${size} bytes more were ` +
          'asked for; in a TD all DMA of devices goes through them (swiotlb)',
      }),
    },
    {
      says: ['swiotlb buffer is full', 'DMA: Out of SW-IOMMU space for {size:int} bytes'],
      answer: swiotlbFull,
    },
    {
      says: [
        'software IO TLB: Cannot allocate buffer',
        'software IO TLB: swiotlb_init_remap: Failed to allocate {size:int} bytes tlb structure',
        'software IO TLB: swiotlb_memblock_alloc: Failed to allocate {size:int} bytes tlb structure',
        'software IO TLB: No low mem',
      ],
      answer: {
        id: 'guest.swiotlb-not-allocated',
        meaning:
          'the kernel has no room below 4 GiB for its bounce buffers, and devices of a TD need them',
        causes: ['swiotlb= on the kernel command line asks for more than there is'],
        next: 'make swiotlb= smaller, or give the guest swiotlb=…,any or more memory',
      },
    },
    {
      says: [
        'software IO TLB: Memory encryption is active and system is using DMA bounce buffers',
        'software IO TLB: SWIOTLB bounce buffer size adjusted to {size:int}MB',
      ],
      inGuest: {
        id: 'guest.swiotlb-on',
        rank: 'healthy',
        meaning: 'devices of the TD go through bounce buffers, as they must',
        next: 'nothing to do',
      },
    },
    {
      says: 'TDX: Failed to accept memory',
      source: 'arch/x86/include/asm/unaccepted_memory.h',
      releases: '6.5 and later',
      answer: notAccepted,
    },
    {
      says: 'Cannot accept memory: unknown platform',
      source: 'arch/x86/include/asm/unaccepted_memory.h',
      releases: '6.5 and later',
      answer: {
        id: 'guest.accept-on-unknown-platform',
        meaning:
          'the firmware left memory to be accepted, and the kernel does not see that it runs in a TD or SEV VM',
        causes: ['the kernel of the guest has no CONFIG_INTEL_TDX_GUEST'],
        next: 'use a kernel with CONFIG_INTEL_TDX_GUEST and CONFIG_UNACCEPTED_MEMORY in the guest',
      },
    },
    {
      says: 'device must provide VIRTIO_F_ACCESS_PLATFORM',
      source: 'drivers/virtio/virtio.c',
      answer: {
        // kata-containers/kata-containers#3810
        id: 'guest.virtio-without-dma-api',
        meaning:
          'a virtio device would read the memory of the guest directly, which an encrypted VM does not allow: it is left out',
        causes: [
          'the device was given to the VM without iommu_platform=on',
          'its backend does not have the feature (an old virtiofsd, a vhost-user backend)',
        ],
        next: 'add iommu_platform=on,disable-legacy=on to the -device of QEMU, or use a backend that has it',
      },
    },
  ],
);

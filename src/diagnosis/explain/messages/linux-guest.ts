/** What the kernel inside a TD prints. */
import { messages } from './message.ts';

export const linuxGuest = messages(
  {
    by: 'Linux',
    place: 'guest',
    source: 'arch/x86/coco/tdx/tdx.c',
    releases: '5.19 and later',
  },
  [
    {
      says: 'tdx: Guest detected',
      mark: 'in-td',
      answer: {
        id: 'guest.in-td',
        rank: 'healthy',
        meaning: 'this is the log of the inside of a TD: its kernel found that it runs in one',
        next: 'nothing to do for TDX; look at the log of the host for what concerns the host',
      },
    },
    {
      says: [
        'Memory Encryption Features active: Intel TDX',
        'Memory Encryption is active: Intel TDX',
      ],
      source: 'arch/x86/mm/mem_encrypt.c',
      mark: 'in-td',
      answer: {
        id: 'guest.memory-encrypted',
        rank: 'healthy',
        meaning: 'the kernel of the TD uses the memory encryption of TDX',
        next: 'nothing to do',
      },
    },
    { says: 'process: using TDX aware idle routine', mark: 'in-td', name: 'guest-idle' },
    {
      says: 'Detected confidential virtualization tdx',
      source: 'systemd, src/core/main.c',
      releases: 'systemd 254 and later',
      mark: 'in-td',
      answer: {
        id: 'guest.systemd-in-td',
        rank: 'healthy',
        meaning: 'systemd found that it runs in a TD',
        next: 'nothing to do',
      },
    },
    {
      says: [
        'swiotlb buffer is full (sz: {size:int} bytes), total {total:int} (slots), used {used:int} (slots)',
      ],
      source: 'kernel/dma/swiotlb.c',
      answer: {
        // NVIDIA/open-gpu-kernel-modules#531
        id: 'guest.swiotlb-full',
        meaning:
          'the bounce buffers are full: in a TD all DMA of devices goes through them (swiotlb)',
        causes: ['the device moves more at once than the default of the kernel leaves room for'],
        next: 'raise swiotlb= on the kernel command line of the guest (swiotlb=1048576 is 2 GiB)',
      },
      say: ({ size, total, used }) => ({
        meaning:
          `the bounce buffers are full: ${used} of ${total} slots are used, and ${size} bytes more were ` +
          'asked for; in a TD all DMA of devices goes through them (swiotlb)',
      }),
    },
  ],
);

/** The inside of a TD. */
import type { Case } from './case.ts';

export const guestCases: readonly Case[] = [
  { from: 'canonical/tdx#183', log: 'guest-no-driver.log', ids: ['guest.no-tdx-guest-device'] },
  {
    from: 'google/go-tdx-guest#28',
    log: 'guest-no-quote-ioctl.log',
    ids: ['guest.no-quote-ioctl'],
  },
  {
    from: 'canonical/tdx#421',
    log: 'guest-odd-memory.log',
    ids: ['guest.memory-no-multiple-of-gib'],
  },
  {
    from: 'NVIDIA/open-gpu-kernel-modules#531',
    log: 'guest-swiotlb-full.log',
    ids: ['guest.swiotlb-full'],
  },
];

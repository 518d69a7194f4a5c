/** What Cloud Hypervisor says of TDX. */
import { messages } from './message.ts';

export const cloudHypervisor = messages(
  { by: 'Cloud Hypervisor', place: 'host', source: 'cloud-hypervisor/src/main.rs' },
  [
    {
      says: ["Feature 'tdx' is broken", 'Feature tdx is broken'],
      answer: {
        id: 'vmm.cloud-hypervisor-tdx-broken',
        meaning:
          'Cloud Hypervisor cannot be built with TDX since July 2026: its makers switched it off',
        next: 'use QEMU 10.1 or later',
      },
    },
    {
      says: 'VmBoot(InvalidPayload)',
      answer: {
        // cloud-hypervisor/cloud-hypervisor#5734
        id: 'vmm.cloud-hypervisor-payload',
        meaning: 'Cloud Hypervisor does not start a VM of this kernel and firmware',
        causes: [
          '--kernel and --firmware are given together, which only a TD takes: --platform tdx=on is missing',
          'it was built without the feature tdx',
        ],
        next: 'give --platform tdx=on to a build with the feature tdx, or use QEMU 10.1 or later',
      },
    },
  ],
);

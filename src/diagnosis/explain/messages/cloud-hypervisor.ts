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
  ],
);

import type { KernelAbi } from './kernel-abi.ts';
import { upstream616 } from './upstream-6.16.ts';

export const rfcMigrationV2: KernelAbi = {
  ...upstream616,
  name: 'rfc-migration-v2',
  description: 'intra-host migration as last posted, with KVM_LINK_GUEST_MEMFD',
  source:
    'RFC v2, Ryan Afranji, 11 June 2025, cover.1749672978.git.afranji@google.com, on v6.16-rc1; KVM_LINK_GUEST_MEMFD: RFC v2 04/13, May 2025, cover.1747368092.git.afranji@google.com',
  unconfirmed: [
    ...upstream616.unconfirmed,
    'a move onto the same VM is EINVAL',
    'a failure once the TD is on its way leaves it with the dead source',
    'a vCPU the destination lacks is an oops: EIO here, and both VMs are bugged',
  ],
  createVcpu: { ...upstream616.createVcpu, when: ['UNINITIALIZED', 'INITIALIZED', 'RUNNABLE'] },
  // The check that KVM_CREATE_VCPU had. What comes before it leaves nothing for it to refuse.
  initVcpuWhen: ['INITIALIZED'],
  guestMemfd: { bindsTo: 'its own VM', link: true },
  move: {
    protocol: 'rfc-v2',
    memslots: 'must match',
    vcpuCountsDiffer: 'unchecked',
    sourceCharge: 'never released',
    losesMemoryAttributes: true,
  },
};

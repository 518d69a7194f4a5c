import { replaced } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

const { checks } = upstream73;

export const postedDynamicPamt: KernelAbi = {
  ...upstream73,
  name: 'posted-dynamic-pamt',
  description: 'the current kernel with dynamic PAMT: page metadata takes memory as TDs use pages',
  source:
    'Linux 7.3 and "Dynamic PAMT", v6, Rick Edgecombe, 25 May 2026, 20260526023515.288829-*-rick.p.edgecombe@intel.com',
  unconfirmed: [
    'what the series does not touch: that of Linux 7.3; it was posted on two other series about the secure EPT, which are not in it',
    'TDH.PHYMEM.PAMT.ADD that fails for a page of the secure EPT or of the guest: EIO, and the VM lives; how KVM passes it on depends on those series',
    'bring-up that finds no memory for its counters of 2 MiB regions: not modelled',
  ],
  checks: {
    ...checks,
    KVM_TDX_INIT_MEM_REGION: replaced(
      checks.KVM_TDX_INIT_MEM_REGION,
      'init-mem-region.no-table',
      'init-mem-region.no-pamt',
      'init-mem-region.no-table',
      'init-mem-region.pamt-refused',
    ),
    KVM_PRE_FAULT_MEMORY: replaced(
      checks.KVM_PRE_FAULT_MEMORY,
      'kernel.no-memory',
      'kernel.no-memory',
      'pre-fault.pamt-refused',
    ),
  },
  memory: { ...upstream73.memory, pamt: 'dynamic where it can be had' },
};

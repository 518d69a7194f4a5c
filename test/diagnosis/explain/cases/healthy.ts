/** Logs that accuse nobody: of what works, and of what has nothing to do with TDX. */
import type { Case } from './case.ts';

const healthy = { isHealthy: true } as const;

export const healthyCases: readonly Case[] = [
  { ...healthy, from: 'canonical/tdx#155', log: 'guest-working.log', ids: ['guest.in-td'] },
  { ...healthy, from: 'Linux 7.x', log: 'not-supported.log', ids: ['host.tdx-not-supported'] },
  {
    ...healthy,
    from: 'NVIDIA/nvtrust#46',
    log: 'vfio-warning.log',
    ids: ['vfio.mappings-may-run-out'],
  },
  {
    ...healthy,
    from: 'Linux 7.x in a TD',
    log: [
      '[    0.0] tdx: Guest detected',
      '[ 0.8] virt/tdx: TDX not supported by the host platform',
    ],
    ids: ['guest.in-td', 'guest.no-tdx-host'],
  },
  {
    ...healthy,
    from: 'QGS of a working host',
    log: [
      'Jan 16 08:55:49 tdx-qgs-failed qgsd[73164]: call tee_att_init_quote',
      'Jan 16 08:55:49 tdx-qgs-failed qgsd[73164]: tee_att_init_quote return 0x0',
    ],
    ids: ['qgs.init-quote-called', 'qgs.not-ready'],
  },
  {
    ...healthy,
    from: 'OpenStack',
    log: ['nova-compute[3]: create_vm failed: Invalid argument'],
    ids: [],
  },
  {
    ...healthy,
    from: 'other drivers',
    log: [
      '[    3.1] vfio-pci 0000:3b:00.0: probe failed: -22 (Invalid argument)',
      '[    3.2] nvidia: module initialization failed (-5)',
      '[    3.3] kvm: SEV disabled (no such device)',
      '[    3.4] kvm [4242]: ignored rdmsr: 0x122 data 0x0',
    ],
    ids: [],
  },
  {
    ...healthy,
    from: 'half a boot of a kernel without TDX',
    log: [
      '[    0.000000] Linux version 6.8.0-51-generic (buildd@example) #52-Ubuntu SMP',
      '[    1.234567] smpboot: CPU0: Intel(R) Xeon(R) Gold 6548Y+ (family: 0x6, model: 0xcf)',
    ],
    ids: [],
  },
  {
    ...healthy,
    from: 'a plain VM',
    log: [
      '[    0.000000] Linux version 6.8.0-51-generic (buildd@example) #52-Ubuntu SMP',
      '[    0.000000] Hypervisor detected: KVM',
      '[    1.234567] Run /init as init process',
    ],
    ids: [],
  },
];

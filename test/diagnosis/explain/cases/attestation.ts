/** QGS, its libraries, PCCS. */
import type { Case } from './case.ts';

export const attestationCases: readonly Case[] = [
  {
    from: 'canonical/tdx#256',
    log: 'qgs-pccs-certificate.log',
    ids: [
      'qcnl.pccs-certificate-not-trusted',
      'qpl.pccs-not-reached-securely',
      'qgs.no-quote-config',
      'qgs.not-ready',
    ],
  },
  {
    from: 'canonical/tdx#313',
    log: 'qgs-platform-unknown.log',
    ids: ['qpl.platform-unknown', 'qgs.no-quote-config', 'qgs.not-ready'],
  },
  {
    from: 'canonical/tdx#338',
    log: 'pccs-not-registered.log',
    ids: ['pccs.platform-not-registered', 'pccs.intel-does-not-know'],
  },
];

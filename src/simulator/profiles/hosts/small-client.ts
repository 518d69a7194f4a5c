import type { HostProfile } from '../../platform.ts';
import { sapphireRapids } from '../cpuid/golden-cove.ts';
import { xeonPlatform } from './xeon.ts';

export const smallClient: HostProfile = {
  name: 'small-client',
  description: 'small machine: 8 CPUs, a low module limit, 48-bit guest addresses only',
  source: 'made up',
  platform: xeonPlatform({
    cpu: sapphireRapids,
    signature: 0x000806f8,
    packages: 1,
    coresPerPackage: 4,
    threadsPerCore: 2,
    offlineCpus: 0,
    memoryBytes: 16n << 30n,
    keyIds: { mktme: 15, tdxPrivate: 16 },
    fiveLevelEpt: false,
    tscKhz: 1_500_000,
    // x87, SSE, AVX, PKRU, CET.
    xfam: 0x1a07n,
    features: { tscScaling: true, busLockDetection: false, notifyVmExit: false, pmu: true },
  }),
  module: { release: '1.5.05', maxVcpusPerTd: 16 },
  kvmMaxVcpus: 1024,
};

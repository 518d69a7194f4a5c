import type { HostProfile } from '../../platform.ts';
import { sapphireRapids } from '../cpuid/golden-cove.ts';
import { xeonPlatform } from './xeon.ts';

export const spr15: HostProfile = {
  name: 'spr-1.5',
  description: '2-socket Sapphire Rapids server, TDX module 1.5',
  source:
    'Cores, threads and clock: Intel Xeon Platinum 8480+. Memory, key ID split: made up, of a usual size',
  platform: xeonPlatform({
    cpu: sapphireRapids,
    signature: 0x000806f8,
    packages: 2,
    coresPerPackage: 56,
    threadsPerCore: 2,
    offlineCpus: 0,
    memoryBytes: 512n << 30n,
    keyIds: { mktme: 63, tdxPrivate: 64 },
    fiveLevelEpt: true,
    tscKhz: 2_000_000,
    // x87, SSE, AVX, AVX-512, PKRU, CET, AMX.
    xfam: 0x61ae7n,
    features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
  }),
  module: { release: '1.5.28' },
  kvmMaxVcpus: 1024,
};

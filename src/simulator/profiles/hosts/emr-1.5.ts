import type { HostProfile } from '../../platform.ts';
import { emeraldRapids } from '../cpuid/golden-cove.ts';
import { xeonPlatform } from './xeon.ts';

export const emr15: HostProfile = {
  name: 'emr-1.5',
  description: '2-socket Emerald Rapids server, TDX module 1.5, half as many key slots as spr-1.5',
  source:
    'Cores, threads and clock: Intel Xeon Platinum 8592+. Key IDs 32 to 63: the range most often seen in public kernel logs. Memory: made up, of a usual size',
  platform: xeonPlatform({
    cpu: emeraldRapids,
    signature: 0x000c06f2,
    packages: 2,
    coresPerPackage: 64,
    threadsPerCore: 2,
    offlineCpus: 0,
    memoryBytes: 1024n << 30n,
    keyIds: { mktme: 31, tdxPrivate: 32 },
    fiveLevelEpt: true,
    tscKhz: 1_900_000,
    xfam: 0x61ae7n,
    features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
  }),
  module: { release: '1.5.06' },
  kvmMaxVcpus: 1024,
};

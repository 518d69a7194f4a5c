import type { HostProfile } from '../../platform.ts';
import { graniteRapids } from '../cpuid/golden-cove.ts';
import { xeonPlatform } from './xeon.ts';

export const gnr20: HostProfile = {
  name: 'gnr-2.0',
  description: '4-socket Granite Rapids server, TDX module 2.0: more CPUs than a 1.5 module takes',
  source: 'Cores and threads: Intel Xeon 6788P. Clock, memory, key ID split: made up',
  platform: xeonPlatform({
    cpu: graniteRapids,
    signature: 0x000a06d1,
    packages: 4,
    coresPerPackage: 86,
    threadsPerCore: 2,
    offlineCpus: 0,
    memoryBytes: 4096n << 30n,
    keyIds: { mktme: 127, tdxPrivate: 128 },
    fiveLevelEpt: true,
    tscKhz: 2_000_000,
    xfam: 0x61ae7n,
    features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
  }),
  module: { release: '2.0.08' },
  kvmMaxVcpus: 1024,
};

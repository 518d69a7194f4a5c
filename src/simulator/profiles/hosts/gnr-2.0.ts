import type { HostProfile } from '../../platform.ts';
import { xeonCpuid } from '../cpuid/xeon.ts';

const coresPerPackage = 86;
const threadsPerCore = 2;
const tscKhz = 2_000_000;

export const gnr20: HostProfile = {
  name: 'gnr-2.0',
  description: '4-socket Granite Rapids server, TDX module 2.0: more CPUs than a 1.5 module takes',
  source: 'Cores and threads: Intel Xeon 6788P. Clock, memory, key ID split: made up',
  platform: {
    packages: 4,
    coresPerPackage,
    threadsPerCore,
    offlineCpus: 0,
    memoryBytes: 4096n << 30n,
    keyIds: { mktme: 127, tdxPrivate: 128 },
    fiveLevelEpt: true,
    tscKhz,
    xfam: 0x61ae7n,
    features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
    cpuid: xeonCpuid({
      signature: 0x000a06d1,
      physicalAddressBits: 52,
      guestAddressBits: 52,
      tscKhz,
      coresPerPackage,
      threadsPerCore,
    }),
  },
  module: { release: '2.0.08' },
  kvmMaxVcpus: 1024,
};

import type { HostProfile } from '../../platform.ts';
import { xeonCpuid } from '../cpuid/xeon.ts';

const coresPerPackage = 64;
const threadsPerCore = 2;
const tscKhz = 1_900_000;

export const emr15: HostProfile = {
  name: 'emr-1.5',
  description: '2-socket Emerald Rapids server, TDX module 1.5, half as many key slots as spr-1.5',
  source:
    'Cores, threads and clock: Intel Xeon Platinum 8592+. Key IDs 32 to 63: the range most often seen in public kernel logs. Memory: made up, of a usual size',
  platform: {
    packages: 2,
    coresPerPackage,
    threadsPerCore,
    offlineCpus: 0,
    memoryBytes: 1024n << 30n,
    keyIds: { mktme: 31, tdxPrivate: 32 },
    fiveLevelEpt: true,
    tscKhz,
    xfam: 0x61ae7n,
    features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
    cpuid: xeonCpuid({
      signature: 0x000c06f2,
      physicalAddressBits: 52,
      guestAddressBits: 52,
      tscKhz,
      coresPerPackage,
      threadsPerCore,
    }),
  },
  module: { release: '1.5.06' },
  kvmMaxVcpus: 1024,
};

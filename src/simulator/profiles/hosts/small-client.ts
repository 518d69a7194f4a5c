import type { HostProfile } from '../../platform.ts';
import { xeonCpuid } from '../cpuid/xeon.ts';

const coresPerPackage = 4;
const threadsPerCore = 2;
const tscKhz = 1_500_000;

export const smallClient: HostProfile = {
  name: 'small-client',
  description: 'small machine: 8 CPUs, a low module limit, 48-bit guest addresses only',
  source: 'made up',
  platform: {
    packages: 1,
    coresPerPackage,
    threadsPerCore,
    offlineCpus: 0,
    memoryBytes: 16n << 30n,
    keyIds: { mktme: 15, tdxPrivate: 16 },
    fiveLevelEpt: false,
    tscKhz,
    // x87, SSE, AVX, PKRU, CET.
    xfam: 0x1a07n,
    features: { tscScaling: true, busLockDetection: false, notifyVmExit: false, pmu: true },
    cpuid: xeonCpuid({
      signature: 0x000806f8,
      physicalAddressBits: 52,
      guestAddressBits: 48,
      tscKhz,
      coresPerPackage,
      threadsPerCore,
    }),
  },
  module: { release: '1.5.05', maxVcpusPerTd: 16 },
  kvmMaxVcpus: 1024,
};

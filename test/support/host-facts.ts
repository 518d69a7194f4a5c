/** What is known of a simulated host, for tests that change one fact of it. */
import type { HostFacts } from '../../src/host/facts.ts';

export const hostFacts: HostFacts = {
  kind: 'sim',
  name: 'sim:test',
  kernel: {
    rules: 'upstream-7.3',
    apiVersion: 12,
    hasMaxVcpusCap: false,
    takesMaxVcpusInInitVm: false,
    presentCpusBind: true,
    vcpusBeforeInitVm: false,
    initVmStruct: 'sized by nent',
    movesTds: false,
    sharesGuestMemory: 'no',
    memoryAttributesOf: 'the VM',
    hasTerminateVm: false,
  },
  module: { release: '1.5.05', maxVcpusPerTd: 576 },
  platform: {
    packages: 2,
    presentCpus: 224,
    onlineCpus: 224,
    guestAddressWidths: [48, 52],
    tscKhz: undefined,
  },
  kvm: { maxVcpus: 1024, maxVcpuIds: 4096 },
};

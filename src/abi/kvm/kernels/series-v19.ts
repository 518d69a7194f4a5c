import type { KernelAbi } from './kernel-abi.ts';
import { upstream73 } from './upstream-7.3.ts';

export const seriesV19: KernelAbi = {
  ...upstream73,
  name: 'series-v19',
  description: 'the patch series v10 to v19: KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)',
  source: 'v10-style patch; v18 023/121, January 2024; [PATCH v19 037/130], 2024',
  unconfirmed: [
    'v10 to v17, each by itself',
    'a vCPU can be made in any state of the TD; KVM_TDX_INIT_VM is EBUSY once there is one',
  ],
  bringUp: { limitBelowPresentCpus: 'not checked', limitMissing: 'counts as 0xffff' },
  maxVcpus: {
    atCreateVm: ['KVM_MAX_VCPUS'],
    capability: {
      vms: 'TDs',
      zero: 'EINVAL',
      limits: ['KVM_MAX_VCPUS', '0xffff'],
      tooMany: 'E2BIG',
      vcpusExist: 'EBUSY',
    },
    inInitVm: 'no field',
    checkExtensionOfTd: ['kvm->max_vcpus', '0xffff'],
  },
  createVcpu: { ...upstream73.createVcpu, when: ['UNINITIALIZED', 'INITIALIZED', 'RUNNABLE'] },
};

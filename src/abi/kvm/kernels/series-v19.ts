import { bindingAtOnce, replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

const { checks } = upstream73;

export const seriesV19: KernelAbi = {
  ...upstream73,
  name: 'series-v19',
  description: 'the patch series v10 to v19: KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)',
  source: 'v10-style patch; v18 023/121, January 2024; [PATCH v19 037/130], 2024',
  unconfirmed: [
    'v10 to v17, each by itself',
    'a vCPU can be made in any state of the TD; KVM_TDX_INIT_VM is EBUSY once there is one',
  ],
  checks: {
    ...checks,
    'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)': replaced(
      checks['KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)'],
      'enable-cap.unknown',
      'enable-cap.max-vcpus.no-td',
      'enable-cap.max-vcpus.zero',
      'enable-cap.max-vcpus.too-large',
      'enable-cap.max-vcpus.vcpus-exist',
    ),
    KVM_SET_USER_MEMORY_REGION2: bindingAtOnce(checks.KVM_SET_USER_MEMORY_REGION2),
    KVM_CREATE_VCPU: without(checks.KVM_CREATE_VCPU, 'create-vcpu.td-state'),
  },
  unreachable: upstream73.unreachable.filter((check) => check !== 'init-vm.vcpus-exist'),
  bringUp: { limitBelowPresentCpus: 'not checked', limitMissing: 'counts as 0xffff' },
  maxVcpus: {
    atCreateVm: ['KVM_MAX_VCPUS'],
    capabilityTakes: ['KVM_MAX_VCPUS', '0xffff'],
    inInitVm: false,
    checkExtensionOfTd: ['kvm->max_vcpus', '0xffff'],
  },
};

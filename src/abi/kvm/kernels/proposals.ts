/**
 * What the seed thread of October 2022 proposes in place of series v9's rule. Apart from the number
 * of vCPUs they are that series, so that a comparison shows what the proposal changes.
 */

import { replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { seriesV9 } from './series-v9.ts';

const thread =
  '"Re: [PATCH v9 016/105] KVM: TDX: create/destroy VM structure", lkml, 13 October 2022';
const moveIsTaken = 'a move was never posted on it: that of RFC v1 is taken, without its defects';

const { checks } = seriesV9;
const initVm = without(checks.KVM_TDX_INIT_VM, 'init-vm.vcpus-exist');

const proposed: KernelAbi = {
  ...seriesV9,
  checks: {
    ...checks,
    KVM_TDX_INIT_VM: initVm,
    KVM_CREATE_VCPU: replaced(
      checks.KVM_CREATE_VCPU,
      'create-vcpu.td-state',
      'create-vcpu.td-finalised',
    ),
  },
  unreachable: seriesV9.unreachable.filter((check) => check !== 'init-vm.vcpus-exist'),
  initVm: { ...seriesV9.initVm, doneWhen: 'state' },
};

export const proposal1: KernelAbi = {
  ...proposed,
  name: 'proposal-1',
  description: 'option 1: KVM_CAP_MAX_VCPUS sets the limit, INIT_VM has none, vCPUs before INIT_VM',
  source: `${thread}, option 1 with its diff`,
  unconfirmed: [
    'kvm->max_vcpus starts at 0 as in v9, which makes the capability required; see proposal-1b',
    'vCPUs may come before INIT_VM, and INIT_VM accepts them: what the option is for',
    moveIsTaken,
  ],
  checks: {
    ...proposed.checks,
    'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)': replaced(
      checks['KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)'],
      'enable-cap.unknown',
      'enable-cap.max-vcpus.above-kvm-max',
      'enable-cap.max-vcpus.too-late',
    ),
    KVM_TDX_INIT_VM: without(initVm, 'init-vm.max-vcpus-too-large'),
  },
  maxVcpus: {
    atCreateVm: [],
    capabilityTakes: ['KVM_MAX_VCPUS'],
    inInitVm: false,
    checkExtensionOfTd: ['KVM_MAX_VCPUS'],
  },
};

export const proposal1a: KernelAbi = {
  ...proposal1,
  name: 'proposal-1a',
  description: 'option 1.a: as 1, and INIT_VM keeps max_vcpus, which must match',
  source: `${thread}, option 1.a`,
  unconfirmed: ['a mismatch is EINVAL: the thread says "fail"', ...proposal1.unconfirmed],
  checks: {
    ...proposal1.checks,
    KVM_TDX_INIT_VM: replaced(initVm, 'init-vm.max-vcpus-too-large', 'init-vm.max-vcpus-mismatch'),
  },
  maxVcpus: { ...proposal1.maxVcpus, inInitVm: true },
};

export const proposal1b: KernelAbi = {
  ...proposal1,
  name: 'proposal-1b',
  description: 'option 1.b: as 1, but the capability is optional; what the thread prefers',
  source: `${thread}, option 1.b`,
  unconfirmed: proposal1.unconfirmed.slice(1),
  maxVcpus: { ...proposal1.maxVcpus, atCreateVm: ['KVM_MAX_VCPUS'] },
};

export const proposal2: KernelAbi = {
  ...proposed,
  name: 'proposal-2',
  description: 'option 2: as in ordinary VMs; INIT_VM fails when more vCPUs exist than it names',
  source: `${thread}, option 2`,
  unconfirmed: [
    'more vCPUs than named is EINVAL: the thread says "fail"',
    'INIT_VM then sets kvm->max_vcpus, and refuses more than KVM_MAX_VCPUS, as in v9',
    moveIsTaken,
  ],
  checks: {
    ...proposed.checks,
    KVM_TDX_INIT_VM: replaced(
      initVm,
      'init-vm.max-vcpus-too-large',
      'init-vm.max-vcpus-too-large',
      'init-vm.max-vcpus-too-small',
    ),
  },
  maxVcpus: { ...seriesV9.maxVcpus, atCreateVm: ['KVM_MAX_VCPUS'] },
};

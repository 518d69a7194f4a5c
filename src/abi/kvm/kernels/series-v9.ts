import type { KernelAbi } from './kernel-abi.ts';
import { upstream73 } from './upstream-7.3.ts';

export const seriesV9: KernelAbi = {
  ...upstream73,
  name: 'series-v9',
  description: 'the series the seed thread argues about: max_vcpus in INIT_VM, no vCPU before it',
  source:
    '[PATCH v9 016/105] KVM: TDX: create/destroy VM structure, and 020/105, KVM_TDX_INIT_VM, 30 September 2022',
  unconfirmed: [
    'the exact version: the rules are those of a patch of the v8 and v9 era',
    'KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) on the fd of a TD is KVM_MAX_VCPUS',
    'a move was never posted on it: that of RFC v1 is taken, without its defects',
  ],
  bringUp: { limitBelowPresentCpus: 'not checked', limitMissing: 'counts as 0xffff' },
  maxVcpus: {
    atCreateVm: [],
    capability: undefined,
    inInitVm: 'sets the limit',
    checkExtensionOfTd: ['KVM_MAX_VCPUS'],
  },
  initVm: {
    ...upstream73.initVm,
    doneWhen: 'max_vcpus is set',
    struct: 'fixed size',
    // A VMM hands over the whole CPUID of its guest: XFAM is taken from leaf 0xd.
    otherCpuid: 'ignored',
  },
  guestMemfd: { bindsTo: 'any VM', link: false },
  move: {
    protocol: 'rfc-v1',
    memslots: 'must match',
    vcpuCountsDiffer: 'EINVAL',
    sourceCharge: 'goes with the TD',
    losesMemoryAttributes: false,
  },
};

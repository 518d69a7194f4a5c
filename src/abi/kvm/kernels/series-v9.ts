import { moveChecksOfRfcV1 } from './moves.ts';
import { bindingAtOnce, replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

const { checks } = upstream73;

/** The struct has a fixed size, so nent is not read alone; and max_vcpus is looked at before the rest. */
const initVm = replaced(
  replaced(
    without(
      checks.KVM_TDX_INIT_VM,
      'init-vm.nent-unreadable',
      'init-vm.too-many-cpuid-entries',
      'init-vm.reserved',
      // A VMM hands over the whole CPUID of its guest: XFAM is taken from leaf 0xd.
      'init-vm.cpuid-unmatched',
    ),
    'init-vm.nent-changed',
    'init-vm.too-many-for-struct',
    'init-vm.reserved',
  ),
  'init-vm.vcpus-exist',
  'init-vm.vcpus-exist',
  'init-vm.max-vcpus-too-large',
);

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
  checks: {
    ...checks,
    KVM_TDX_INIT_VM: initVm,
    // The private memory of the time is a file of no VM.
    KVM_SET_USER_MEMORY_REGION2: without(
      bindingAtOnce(checks.KVM_SET_USER_MEMORY_REGION2),
      'memory-region.memfd-of-other-vm',
    ),
    'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': moveChecksOfRfcV1,
  },
  // Before KVM_TDX_INIT_VM a TD may have no vCPU, so the limit refuses first.
  unreachable: upstream73.unreachable,
  bringUp: { limitBelowPresentCpus: 'not checked', limitMissing: 'counts as 0xffff' },
  maxVcpus: {
    atCreateVm: [],
    capabilityTakes: [],
    inInitVm: true,
    checkExtensionOfTd: ['KVM_MAX_VCPUS'],
  },
  initVm: { doneWhen: 'max_vcpus is set', struct: 'fixed size' },
  move: { protocol: 'rfc-v1', sourceCharge: 'goes with the TD', losesMemoryAttributes: false },
};

import { moveChecksOfRfcV2 } from './moves.ts';
import { replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream616 } from './upstream-6.16.ts';

const { checks } = upstream616;

export const rfcMigrationV2: KernelAbi = {
  ...upstream616,
  name: 'rfc-migration-v2',
  description: 'intra-host migration as last posted, with KVM_LINK_GUEST_MEMFD',
  source:
    'RFC v2, Ryan Afranji, 11 June 2025, cover.1749672978.git.afranji@google.com, on v6.16-rc1; KVM_LINK_GUEST_MEMFD: RFC v2 04/13, May 2025, cover.1747368092.git.afranji@google.com',
  unconfirmed: [
    ...upstream616.unconfirmed,
    'a move onto the same VM is EINVAL',
    'a failure once the TD is on its way leaves it with the dead source',
    'a vCPU the destination lacks is an oops: EIO here, and both VMs are bugged',
  ],
  checks: {
    ...checks,
    KVM_CREATE_VCPU: without(checks.KVM_CREATE_VCPU, 'create-vcpu.td-state'),
    // The check that KVM_CREATE_VCPU had. What comes before it leaves nothing for it to refuse.
    KVM_TDX_INIT_VCPU: replaced(
      checks.KVM_TDX_INIT_VCPU,
      'init-vcpu.flags',
      'init-vcpu.flags',
      'init-vcpu.td-not-initialised',
    ),
    KVM_LINK_GUEST_MEMFD: [
      'vm.other-process',
      'vm.dead',
      'argument.unreadable',
      'link-guest-memfd.flags',
      'link-guest-memfd.no-memfd',
      'link-guest-memfd.same-vm',
      'process.no-descriptor',
    ],
    'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': moveChecksOfRfcV2,
  },
  unreachable: [
    ...upstream616.unreachable.filter((check) => check !== 'init-vm.vcpus-exist'),
    'init-vcpu.td-not-initialised',
  ],
  move: { protocol: 'rfc-v2', sourceCharge: 'never released', losesMemoryAttributes: true },
};

/** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM where a patch series moves TDs: RFC v1 (April 2023), RFC v2 (June 2025). */
import type { RefusalAnswer, RequestFacts } from './request.ts';

const movingKernels =
  'rfc-migration-v2 rfc-migration-v1 series-v9 pre-v8 proposal-1 proposal-1a proposal-1b proposal-2';

export const moveFacts: RequestFacts = {
  request: 'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)',
  kernels: movingKernels.split(' '),
  on: 'the VM',
  checks: [],
  answers: {
    EINVAL: refused(
      'vms-differ',
      'the two VMs do not go together (states, memory slots, a vCPU without x2APIC in its CPUID)',
    ),
    EBADF: refused('source-closed', "the source VM's fd is not open any more"),
    EBUSY: refused(
      'cgroup-limit',
      "the misc cgroup of the destination's process allows no further TD",
    ),
    EINTR: refused(
      'interrupted',
      'a vCPU was still inside KVM_RUN, or the wait for a lock was interrupted',
    ),
    ENOMEM: refused('no-memory', 'the kernel had no memory for the move'),
    EIO: refused(
      'vm-dead',
      'the destination VM is dead, or a vCPU of the source has no partner in it',
    ),
    ENOTTY: refused('not-a-td', 'the destination is no TD'),
  },
};

function refused(id: string, meaning: string): RefusalAnswer {
  const next =
    'docs/migration.md says what each kernel looks at, in which order, and what is lost then';
  return { id: `move-enc-context.${id}`, code: 'TDCTL_E_IOCTL', meaning, next };
}

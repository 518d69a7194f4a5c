/** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM where a patch series moves TDs: RFC v1 (April 2023), RFC v2 (June 2025). */
import type { ErrnoName } from '../../../abi/kvm/errno.ts';
import type { RefusalAnswer, RequestFacts } from './request.ts';

/** Id and meaning; all have the same way on. */
const meanings = {
  EINVAL: [
    'move-enc-context.vms-differ',
    'the two VMs do not go together (states, memory slots, a vCPU without x2APIC in its CPUID)',
  ],
  EBADF: ['move-enc-context.source-closed', "the source VM's fd is not open any more"],
  EBUSY: [
    'move-enc-context.cgroup-limit',
    "the misc cgroup of the destination's process allows no further TD",
  ],
  EINTR: [
    'move-enc-context.interrupted',
    'a vCPU was still inside KVM_RUN, or the wait for a lock was interrupted',
  ],
  ENOMEM: ['move-enc-context.no-memory', 'the kernel had no memory for the move'],
  EIO: [
    'move-enc-context.vm-dead',
    'the destination VM is dead, or a vCPU of the source has no partner in it',
  ],
  ENOTTY: ['move-enc-context.not-a-td', 'the destination is no TD'],
} as const satisfies Partial<Record<ErrnoName, readonly [id: string, meaning: string]>>;

const answers = Object.entries(meanings).map(([errno, [id, meaning]]): [string, RefusalAnswer] => [
  errno,
  {
    id,
    code: 'TDCTL_E_IOCTL',
    meaning,
    next: 'docs/migration.md says what each kernel looks at, in which order, and what is lost then',
  },
]);

export const moveFacts: RequestFacts = {
  request: 'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)',
  on: 'the VM',
  kernels: [
    'rfc-migration-v2',
    'rfc-migration-v1',
    'series-v9',
    'pre-v8',
    'proposal-1',
    'proposal-1a',
    'proposal-1b',
    'proposal-2',
  ],
  checks: [],
  answers: Object.fromEntries(answers),
};

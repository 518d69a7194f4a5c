import { TdctlError } from '../errors/index.ts';
import type { HostFacts, KeySlots } from '../host/facts.ts';

/** KVM_TDX_INIT_VM answers EBUSY in a cgroup at its limit, after it found a free key slot. */
export function checkCgroup(facts: HostFacts, room: number | undefined): void {
  if (room === undefined || room > 0) return;
  throw new TdctlError({
    code: 'TDCTL_E_CGROUP_LIMIT',
    op: 'check the misc cgroup',
    message: `the misc cgroup of this process allows no further TD on ${facts.name}: KVM_TDX_INIT_VM would answer EBUSY`,
    hint: 'raise misc.max of the cgroup (`tdx N`), or run from another one',
  });
}

/** A host whose slots are all taken answers ENOSPC to KVM_TDX_INIT_VM. */
export function checkKeySlots(facts: HostFacts, slots: KeySlots | undefined): void {
  if (!slots || slots.used < slots.total) return;
  throw new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'check the key slots',
    message: `all ${slots.total} key slots of ${facts.name} are in use: KVM_TDX_INIT_VM would answer ENOSPC`,
    hint: 'stop a TD, or wait for one that is being torn down',
  });
}

/** What KVM_TDX_INIT_VM would refuse at the moment: ENOSPC without a key slot, EBUSY for the cgroup. */
import { TdctlError } from '../../errors/index.ts';
import { type JudgedHost, now, type Objection } from './objection.ts';

/** KVM_TDX_INIT_VM looks for a key slot before it charges the cgroup. */
export function slotObjections({ name, keySlots, cgroupRoom }: JudgedHost): Objection[] {
  const objections: Objection[] = [];
  if (keySlots && keySlots.used >= keySlots.total) {
    objections.push({
      reasons: [now('keySlot', 'no key slot (HKID) of the host is free')],
      error: () => noKeySlot(name, keySlots.total),
    });
  }
  if (cgroupRoom !== undefined && cgroupRoom <= 0) {
    objections.push({
      reasons: [now('cgroup', 'the misc cgroup is at its limit for `tdx`')],
      error: () => cgroupFull(name),
    });
  }
  return objections;
}

function noKeySlot(host: string, total: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'check the key slots',
    message: `all ${total} key slots of ${host} are in use: KVM_TDX_INIT_VM would answer ENOSPC`,
    hint: 'stop a TD, or wait for one that is being torn down',
  });
}

function cgroupFull(host: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CGROUP_LIMIT',
    op: 'check the misc cgroup',
    message: `the misc cgroup of this process allows no further TD on ${host}: KVM_TDX_INIT_VM would answer EBUSY`,
    hint: 'raise misc.max of the cgroup (`tdx N`), or run from another one',
  });
}

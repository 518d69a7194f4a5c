import { fail, inGroup, pass, unknown, warn } from '../check.ts';
import { leakEvidence } from '../leak-evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

const notCounted = 'slots are not counted on this host';

export const keySlotChecks = inGroup('Key slots', [
  {
    id: 'keys.controller',
    title: 'The misc cgroup counts key slots',
    needs: ['module.initialized', 'limits.module-vs-cpus'],
    reads: '/sys/fs/cgroup/misc.capacity',
    evaluate({ keySlots, kernel }) {
      const { capacity, hierarchy } = keySlots;
      if (capacity.state === 'read') return pass(`${capacity.from}: tdx ${capacity.value}`);
      if (hierarchy === 'v1') {
        return warn(
          'this host uses cgroup v1, which has no misc controller mounted: slots cannot be counted',
          'boot with systemd.unified_cgroup_hierarchy=1, or mount it: `mount -t cgroup -o misc misc /sys/fs/cgroup/misc`',
        );
      }
      if (hierarchy === 'none') return unknown('no cgroup hierarchy is to be seen');
      if (knownValue(kernel.config)?.CONFIG_CGROUP_MISC === 'n') {
        return warn(
          'the kernel is built without CONFIG_CGROUP_MISC: slots cannot be counted',
          'use a kernel with CONFIG_CGROUP_MISC=y',
        );
      }
      if (capacity.state === 'denied') return unknown(whyNotRead(capacity));
      return unknown(`no line \`tdx\` in ${capacity.from}: KVM puts it there when TDX comes up`);
    },
  },
  {
    id: 'keys.free',
    title: 'A key slot is free for another TD',
    needs: ['keys.controller'],
    reads: 'misc.capacity and misc.current, those of child cgroups summed where the root has none',
    evaluate({ keySlots }) {
      const { capacity, used } = keySlots;
      if (capacity.state !== 'read') return unknown(notCounted);
      if (used.state !== 'read') return unknown(whyNotRead(used));
      const free = capacity.value - used.value;
      const text = `${free} of ${capacity.value} free (${used.from})`;
      if (free > 0) return pass(text);
      return fail(
        `${text}: KVM_TDX_INIT_VM answers ENOSPC`,
        'stop a TD, or wait for one that is being torn down; `tdctl host` shows who holds them',
      );
    },
  },
  {
    id: 'keys.cgroup-limit',
    title: 'The cgroup of this process lets it build a TD',
    needs: ['keys.controller'],
    reads: '/proc/self/cgroup; misc.max and misc.current of that cgroup and those above it',
    evaluate({ keySlots }) {
      const { ownLimit, capacity } = keySlots;
      if (capacity.state !== 'read') return unknown(notCounted);
      if (ownLimit.state !== 'read') return pass('no limit is set');
      const { max, used } = ownLimit.value;
      const text = `${used} of ${max} in use (${ownLimit.from})`;
      if (used < max) return pass(text);
      return fail(
        `${text}: KVM_TDX_INIT_VM answers EBUSY`,
        `raise it: echo "tdx max" > ${ownLimit.from}; or run from another cgroup`,
      );
    },
  },
  {
    id: 'keys.leaked',
    title: 'No key slot looks leaked',
    needs: ['keys.controller'],
    reads: '"HKID is leaked" in the kernel log; cgroups with slots and no process',
    evaluate(input) {
      const [first, ...more] = leakEvidence(input.keySlots, input.found);
      if (first === undefined) {
        return input.keySlots.capacity.state === 'read'
          ? pass('no sign of one')
          : unknown(notCounted);
      }
      const others =
        more.length === 0
          ? ''
          : ` (and ${more.length} more ${more.length === 1 ? 'sign' : 'signs'})`;
      return warn(
        `${first}${others}`,
        'a leaked slot comes back only with a reboot; first make sure that no teardown is under way',
      );
    },
  },
]);
